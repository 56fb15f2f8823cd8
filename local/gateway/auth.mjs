// /auth/v1: password sign-in, sign-up, refresh, sign-out and the user's own record, as Supabase Auth serves them.
// What the secret key may do besides is in auth-admin.mjs.
//
// @supabase/lite does it, as a library. It is also a whole server; nothing but its /auth/v1 is used.

import { decodeJwt, SignJWT } from "jose";

import { AdminError, adminEndpoint, createAdmin } from "./auth-admin.mjs";
import { inputProblem } from "./auth-input.mjs";
import { log } from "./logs.mjs";
import { createPasswordLimit, emailIn } from "./passwords.mjs";
import { FAILURES, UpstreamError } from "./proxy.mjs";

const TIMEOUT_MS = 10_000;
const PROBE_MS = 1_000;
// What is served. Flows that need mail or another provider are not: locally nothing could complete them.
const SERVED = {
  "/token": ["POST"],
  "/signup": ["POST"],
  "/logout": ["POST"],
  "/user": ["GET", "PUT"],
  "/settings": ["GET"],
  "/health": ["GET"],
  "/.well-known/jwks.json": ["GET"],
};
const GRANTS = ["password", "refresh_token"];
const PUBLIC = "/.well-known/jwks.json";

// It replaces process.emitWarning by a version that throws on warnings that are Error objects: put back.
const { emitWarning } = process;
const { App, ConsoleEmailDriver } = await import("@supabase/lite");
const { createPostgresConnection } = await import("@supabase/lite/postgres");
process.emitWarning = emitWarning;

// Supabase Auth speaks RFC 3339; Postgres (in UTC, as the library sets it) prints "2026-11-21 10:57:00.123456+00".
const rfc3339 = (text) => `${text.replace(" ", "T").replace(/\+00$/, "")}Z`;
// The library hands over JSON as text already; encoding it again would store a string instead of an object.
const json = (value) => (typeof value === "string" ? value : JSON.stringify(value));
const pass = (value) => value;
const TYPES = {
  json: { to: 114, from: [114], serialize: json, parse: JSON.parse },
  jsonb: { to: 3802, from: [3802], serialize: json, parse: JSON.parse },
  timestamp: { to: 1114, from: [1114], serialize: pass, parse: rfc3339 },
  timestamptz: { to: 1184, from: [1184], serialize: pass, parse: rfc3339 },
};

/** Open the library on `databaseUrl`, whose role must own nothing (sql/50_auth.sql). It connects on first use. */
function openLibrary(databaseUrl, jwtSecret, siteUrl) {
  const connection = createPostgresConnection({
    url: databaseUrl,
    postgresOptions: {
      max: 4,
      connect_timeout: 3,
      backoff: /** @type {any} */ (0.1), // seconds; the default grows to 20, which would outlast a restart of the database
      onnotice: () => log("info", "auth_database_notice"),
      connection: { application_name: "fersk auth", statement_timeout: 5_000 },
      types: TYPES,
    },
  });
  const app = new App({
    connection,
    auth: {
      enabled: true,
      jwt_secret: jwtSecret,
      jwt_expiry: 3600,
      site_url: siteUrl,
      // as supabase/config.toml says: people are invited
      enable_signup: false,
      minimum_password_length: 10,
      enable_refresh_token_rotation: true,
      email: { enable_confirmations: false },
    },
    options: {
      // No key handling (the gateway's), no studio, no admin mode, no mails: their codes would end up in the log.
      server: { apiKeys: false, disableStudio: true, admin: false },
      drivers: { email: new ConsoleEmailDriver({ silent: true }) },
    },
  });
  return { fetch: app.fetch, sql: connection.driver };
}

const late = (ms, value) => new Promise((resolve) => setTimeout(resolve, ms, value).unref());

/** Build { handle, close }. Tokens name `<publicUrl>/auth/v1` as their issuer. */
export function createAuth({ authDatabaseUrl, jwtSecret, publicUrl, resolveKey }) {
  const library = openLibrary(authDatabaseUrl, jwtSecret, publicUrl);
  const passwords = createPasswordLimit(library.sql);
  const admin = createAdmin(library.sql, jwtSecret);
  const signingKey = new TextEncoder().encode(jwtSecret);

  /** Issue the access token anew, with the claims that the library leaves out: policies read app_metadata. */
  async function complete(session) {
    const claims = decodeJwt(session.access_token);
    const { app_metadata, user_metadata, is_anonymous, phone } = session.user;
    const more = { iss: `${publicUrl}/auth/v1`, aal: "aal1", phone, is_anonymous, app_metadata, user_metadata };
    const token = new SignJWT({ ...claims, ...more }).setProtectedHeader({ alg: "HS256", typ: "JWT" });
    return { ...session, access_token: await token.sign(signingKey), expires_at: claims.exp };
  }

  async function ask(c, authorization) {
    const { pathname, search } = new URL(c.req.url);
    const headers = { "content-type": c.req.header("content-type") ?? "application/json" };
    if (authorization) headers.authorization = authorization;
    const body = await c.req.arrayBuffer();
    const init = { method: c.req.method, headers, body: body.byteLength ? body : null };
    const answer = await Promise.race([
      library.fetch(new Request(`${publicUrl}${pathname}${search}`, init)),
      late(TIMEOUT_MS, null),
    ]);
    if (!answer) throw new UpstreamError(FAILURES.timeout);
    if (answer.status < 500) return answer;
    throw await failure();
  }

  /** What to say of a failure: whether the database is there at all. */
  async function failure() {
    const isUp = await Promise.race([
      library.sql`select 1`.then(
        () => true,
        () => false,
      ),
      late(PROBE_MS, false),
    ]);
    return new UpstreamError(isUp ? FAILURES.internal : FAILURES.unavailable);
  }

  async function handle(c) {
    c.header("cache-control", "no-store");
    const refuse = (status, error_code, msg, more = {}) => c.json({ code: status, error_code, msg, ...more }, status);
    const endpoint = c.req.path.slice("/auth/v1".length);
    const key = endpoint === PUBLIC ? {} : resolveKey(c.req.raw.headers, c.req.query("apikey"));
    if (key.refusal) return c.json(key.refusal, 401);
    const isAdmin = adminEndpoint(endpoint) !== null;
    const methods = Object.hasOwn(SERVED, endpoint) ? SERVED[endpoint] : adminEndpoint(endpoint)?.methods;
    if (!methods) return refuse(404, "not_found", "This part of Supabase Auth is not in the local stack");
    if (!methods.includes(c.req.method)) {
      c.header("allow", methods.join(", "));
      return refuse(405, "method_not_allowed", "Method not allowed");
    }
    if (endpoint === "/token" && !GRANTS.includes(c.req.query("grant_type"))) {
      return refuse(400, "unsupported_grant_type", `grant_type must be ${GRANTS.join(" or ")}`);
    }
    const body = Buffer.from(await c.req.arrayBuffer()).toString();
    const problem = inputProblem(body);
    if (problem) return refuse(400, "validation_failed", problem);
    if (isAdmin) {
      try {
        return c.json(await admin(endpoint, c.req.method, key.authorization, body));
      } catch (error) {
        if (error instanceof AdminError) return refuse(error.status, error.code, error.message, error.more);
        throw await failure();
      }
    }
    const isSignIn = endpoint === "/token" && c.req.query("grant_type") === "password";
    const attempt = isSignIn ? [emailIn(body), c.env.incoming.socket.remoteAddress] : null;
    // without a database, the sign-in itself fails
    const seconds = attempt && (await passwords.attempt(...attempt).catch(() => null));
    if (seconds) {
      c.header("retry-after", String(seconds));
      return refuse(429, "over_request_rate_limit", "Request rate limit reached");
    }
    const answer = await ask(c, key.authorization);
    if (attempt && answer.status === 200) await passwords.succeeded(...attempt);
    const text = await answer.text();
    const errorCode = answer.headers.get("x-sb-error-code");
    if (errorCode) c.header("x-sb-error-code", errorCode);
    if (text === "") return c.body(null, answer.status);
    const parsed = JSON.parse(text);
    return c.json(parsed?.access_token ? await complete(parsed) : parsed, answer.status);
  }

  return { handle, close: () => library.sql.end({ timeout: 1 }) };
}
