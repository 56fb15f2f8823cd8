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

function url(env, name, ...protocols) {
  const value = URL.canParse(env[name]) ? new URL(env[name]) : null;
  if (!value || !protocols.includes(value.protocol)) {
    throw new ConfigError(`${name} must be a URL starting with ${protocols.map((p) => `${p}//`).join(" or ")}`);
  }
  return value;
}

function port(env, name) {
  const value = Number(env[name]);
  if (!Number.isInteger(value) || value < 1 || value > 65535) {
    throw new ConfigError(`${name} must be a port number between 1 and 65535`);
  }
  return value;
}

/** Read and check the environment. Throws ConfigError; returns a frozen object. */
export function readConfig(env) {
  const missing = REQUIRED.filter((name) => !env[name]);
  if (missing.length > 0) {
    throw new ConfigError(`missing environment variable${missing.length > 1 ? "s" : ""}: ${missing.join(", ")}`);
  }
  if (Buffer.byteLength(env.SUPABASE_JWT_SECRET) < 32) {
    throw new ConfigError("SUPABASE_JWT_SECRET must have at least 32 bytes, as HS256 and PostgREST ask");
  }
  return Object.freeze({
    port: port(env, "FERSK_GATEWAY_PORT"),
    restUrl: url(env, "FERSK_REST_URL", "http:"),
    functionsUrl: url(env, "FERSK_FUNCTIONS_URL", "http:"),
    authDatabaseUrl: url(env, "FERSK_AUTH_DB_URL", "postgres:", "postgresql:").href,
    realtimeDatabaseUrl: env.FERSK_REALTIME_DB_URL
      ? url(env, "FERSK_REALTIME_DB_URL", "postgres:", "postgresql:").href
      : null,
    publicUrl: url(env, "SUPABASE_URL", "http:", "https:").href.replace(/\/+$/, ""),
    jwtSecret: env.SUPABASE_JWT_SECRET,
    publishableKey: env.SUPABASE_PUBLISHABLE_KEY,
    secretKey: env.SUPABASE_SECRET_KEY,
    anonKey: env.SUPABASE_ANON_KEY,
    serviceRoleKey: env.SUPABASE_SERVICE_ROLE_KEY,
    consoleDir: env.FERSK_CONSOLE_DIR || null,
  });
}
