// The gateway's settings, read once at start: a missing variable stops the process, not request 17.

const REQUIRED = [
  "FERSK_GATEWAY_PORT",
  "FERSK_REST_URL",
  "FERSK_FUNCTIONS_URL",
  "FERSK_AUTH_DB_URL",
  "SUPABASE_URL",
  "SUPABASE_JWT_SECRET",
  "SUPABASE_PUBLISHABLE_KEY",
  "SUPABASE_SECRET_KEY",
  "SUPABASE_ANON_KEY",
  "SUPABASE_SERVICE_ROLE_KEY",
];

/** Settings that are missing or malformed. Names variables, never their values. */
export class ConfigError extends Error {}

/**
 * Read and check the environment; throws ConfigError.
 * @param {Record<string, any>} env
 */
export function readConfig(env) {
  const missing = REQUIRED.filter((name) => !env[name]);
  const port = Number(env.FERSK_GATEWAY_PORT);
  const urls = ["FERSK_REST_URL", "FERSK_FUNCTIONS_URL"];
  const wrong = urls.find((name) => !URL.canParse(env[name]) || new URL(env[name]).protocol !== "http:");
  if (missing.length > 0) {
    throw new ConfigError(`missing environment variable${missing.length > 1 ? "s" : ""}: ${missing.join(", ")}`);
  }
  if (!Number.isInteger(port) || port < 1 || port > 65535) {
    throw new ConfigError("FERSK_GATEWAY_PORT must be a port number between 1 and 65535");
  }
  if (wrong) throw new ConfigError(`${wrong} must be a URL starting with http://`);
  if (Buffer.byteLength(env.SUPABASE_JWT_SECRET) < 32) {
    throw new ConfigError("SUPABASE_JWT_SECRET must have at least 32 bytes, as HS256 and PostgREST ask");
  }
  return Object.freeze({
    port,
    timeoutMs: Number(env.FERSK_GATEWAY_TIMEOUT_MS || 35_000), // longer than any time limit of the services
    restUrl: env.FERSK_REST_URL,
    functionsUrl: env.FERSK_FUNCTIONS_URL,
    authDatabaseUrl: env.FERSK_AUTH_DB_URL,
    realtimeDatabaseUrl: env.FERSK_REALTIME_DB_URL,
    publicUrl: env.SUPABASE_URL.replace(/\/+$/, ""),
    jwtSecret: env.SUPABASE_JWT_SECRET,
    publishableKey: env.SUPABASE_PUBLISHABLE_KEY,
    secretKey: env.SUPABASE_SECRET_KEY,
    anonKey: env.SUPABASE_ANON_KEY,
    serviceRoleKey: env.SUPABASE_SERVICE_ROLE_KEY,
    consoleDir: env.FERSK_CONSOLE_DIR,
  });
}
