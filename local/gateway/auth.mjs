// /auth/v1: password sign-in, sign-up, refresh, sign-out and the user's own record, as Supabase Auth serves them.

import { createTokenCompleter } from "./access-token.mjs";
import { openAuthLibrary } from "./auth-library.mjs";
import { corsHeaders } from "./cors.mjs";
import { log } from "./logs.mjs";
import { createPasswordLimit, emailIn } from "./passwords.mjs";
import { FAILURES, sendJson } from "./replies.mjs";

const TIMEOUT_MS = 10_000;
const MAX_BODY_BYTES = 64 * 1024;

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

const gotrueError = (status, error_code, msg) => ({ status, body: { code: status, error_code, msg } });

/** Read the body, at most MAX_BODY_BYTES; null when it is larger. */
async function readBody(request) {
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size <= MAX_BODY_BYTES) chunks.push(chunk);
  }
  return size > MAX_BODY_BYTES ? null : Buffer.concat(chunks);
}

function refusal(request, endpoint, query) {
  const methods = Object.hasOwn(SERVED, endpoint) ? SERVED[endpoint] : null;
  if (!methods) return gotrueError(404, "not_found", "This part of Supabase Auth is not in the local stack");
  if (!methods.includes(request.method)) {
    return { ...gotrueError(405, "method_not_allowed", "Method not allowed"), headers: { allow: methods.join(", ") } };
  }
  if (endpoint === "/token" && !GRANTS.includes(query.get("grant_type"))) {
    return gotrueError(400, "unsupported_grant_type", `grant_type must be ${GRANTS.join(" or ")}`);
  }
  return null;
}

/** Build the route. Tokens name `<publicUrl>/auth/v1` as their issuer. */
export function createAuthRoute({ authDatabaseUrl, jwtSecret, publicUrl, resolveKey }) {
  const library = openAuthLibrary({ databaseUrl: authDatabaseUrl, jwtSecret, siteUrl: publicUrl });
  const passwords = createPasswordLimit(library.sql);
  const completeSession = createTokenCompleter({ jwtSecret, issuer: `${publicUrl}/auth/v1` });

  /** Sign in with a password, if the limit allows another attempt. Without a database, the sign-in itself fails. */
  async function signIn(address, body, proceed) {
    const email = emailIn(body);
    const refused = await passwords.attempt(email, address).catch(() => null);
    if (refused) return refused;
    const answer = await proceed();
    if (answer.status === 200) await passwords.succeeded(email, address);
    return answer;
  }

  async function ask(request, path, search, authorization, body) {
    const headers = { "content-type": request.headers["content-type"] ?? "application/json" };
    if (authorization) headers.authorization = authorization;
    const answer = await library.fetch(
      new Request(`${publicUrl}${path}${search}`, { method: request.method, headers, body: body.length ? body : null }),
    );
    if (answer.status >= 500) return (await library.isDatabaseUp()) ? { failed: "internal" } : { failed: "unavailable" };
    const text = await answer.text();
    const errorCode = answer.headers.get("x-sb-error-code");
    const parsed = text === "" ? null : JSON.parse(text);
    return {
      status: answer.status,
      body: parsed?.access_token ? await completeSession(parsed) : parsed,
      headers: errorCode ? { "x-sb-error-code": errorCode } : {},
    };
  }

  async function handle(request, response, { path, search, query, requestId, answerHeaders }) {
    const headers = { ...answerHeaders, ...corsHeaders(), "cache-control": "no-store" };
    const send = (status, body, more = {}) => sendJson(response, status, body, { ...headers, ...more });
    const endpoint = path.slice("/auth/v1".length);

    const key = endpoint === PUBLIC ? {} : resolveKey(request, query);
    if (key.refusal) return send(401, key.refusal);
    const refused = refusal(request, endpoint, query);
    if (refused) return send(refused.status, refused.body, refused.headers);
    const body = await readBody(request);
    if (!body) return send(413, gotrueError(413, FAILURES.tooLarge.code, FAILURES.tooLarge.message).body);

    const late = new Promise((resolve) => setTimeout(resolve, TIMEOUT_MS, { failed: "timeout" }).unref());
    const proceed = () => ask(request, path, search, key.authorization, body);
    const isPassword = endpoint === "/token" && query.get("grant_type") === "password";
    const asked = isPassword ? signIn(request.socket.remoteAddress, body, proceed) : proceed();
    const answer = await Promise.race([asked, late]);
    if (answer.failed) {
      const { status, code, message } = FAILURES[answer.failed];
      log("error", "auth_failed", { request_id: requestId, code });
      return send(status, gotrueError(status, code, message).body);
    }
    if (answer.body !== null) return send(answer.status, answer.body, answer.headers);
    response.writeHead(answer.status, { ...headers, ...answer.headers });
    response.end();
  }

  return { name: "auth", prefix: "/auth/v1", preflight: true, handle, close: library.close };
}
