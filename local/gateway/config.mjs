// The gateway's settings, read once at start: a missing variable stops the process, not request 17.

const SETTINGS = {
  port: "FERSK_GATEWAY_PORT",
  restUrl: "FERSK_REST_URL",
  functionsUrl: "FERSK_FUNCTIONS_URL",
  authDatabaseUrl: "FERSK_AUTH_DB_URL",
  publicUrl: "SUPABASE_URL",
  jwtSecret: "SUPABASE_JWT_SECRET",
  publishableKey: "SUPABASE_PUBLISHABLE_KEY",
  secretKey: "SUPABASE_SECRET_KEY",
  anonKey: "SUPABASE_ANON_KEY",
  serviceRoleKey: "SUPABASE_SERVICE_ROLE_KEY",
};

/** Settings that are missing or malformed. Names variables, never their values. */
export class ConfigError extends Error {}

/** Read and check the environment; throws ConfigError. */
export function readConfig(env) {
  const missing = Object.values(SETTINGS).filter((name) => !env[name]);
  if (missing.length > 0) throw new ConfigError(`missing environment variables: ${missing.join(", ")}`);
  for (const name of [SETTINGS.restUrl, SETTINGS.functionsUrl, SETTINGS.publicUrl]) {
    if (!URL.canParse(env[name])) throw new ConfigError(`${name} must be a URL`);
  }
  if (Buffer.byteLength(env.SUPABASE_JWT_SECRET) < 32) {
    throw new ConfigError("SUPABASE_JWT_SECRET must have at least 32 bytes, as HS256 and PostgREST ask");
  }
  const given = Object.entries(SETTINGS).map(([field, name]) => [field, env[name]]);
  return {
    .../** @type {Record<keyof typeof SETTINGS, string>} */ (Object.fromEntries(given)),
    timeoutMs: Number(env.FERSK_GATEWAY_TIMEOUT_MS || 35_000), // longer than any time limit of the services
    realtimeDatabaseUrl: env.FERSK_REALTIME_DB_URL,
    consoleDir: env.FERSK_CONSOLE_DIR,
    previousPublishableKey: env.FERSK_PREVIOUS_PUBLISHABLE_KEY,
    previousSecretKey: env.FERSK_PREVIOUS_SECRET_KEY,
  };
}
