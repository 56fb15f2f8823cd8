// @supabase/lite as a library for authentication. It is also a whole server; nothing but its /auth/v1 is used.

import { log } from "./logs.mjs";

const PROBE_MS = 1_000;

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

/**
 * Open the library on `databaseUrl`, whose role must own nothing (auth.sql).
 *
 * Returns fetch(Request) → Response, isDatabaseUp() → boolean within a second, close(). Connects on first use and
 * again after each loss; signs with `jwtSecret`, tokens live an hour, refresh tokens rotate.
 */
export function openAuthLibrary({ databaseUrl, jwtSecret, siteUrl }) {
  const connection = createPostgresConnection({
    url: databaseUrl,
    postgresOptions: {
      max: 4,
      connect_timeout: 3,
      backoff: 0.1, // seconds; the default grows to 20, which would outlast a restart of the database
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

  async function isDatabaseUp() {
    const late = new Promise((resolve) => setTimeout(resolve, PROBE_MS, false).unref());
    const answer = connection.driver`select 1`.then(() => true, () => false);
    return Promise.race([answer, late]);
  }

  return { fetch: app.fetch, sql: connection.driver, isDatabaseUp, close: () => connection.driver.end({ timeout: 1 }) };
}
