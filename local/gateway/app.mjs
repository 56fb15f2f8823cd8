// The single origin: what is behind each prefix, who is let through, and how each service's clients expect errors.

import { randomBytes, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { serveStatic } from "@hono/node-server/serve-static";
import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { cors } from "hono/cors";

import { createAuth } from "./auth.mjs";
import { withoutApiKey } from "./keys.mjs";
import { framesOf, holdsSecret, log, safePath } from "./logs.mjs";
import { createPlaces } from "./places.mjs";
import { createProxy, FAILURES, UpstreamError } from "./proxy.mjs";
import { refuseUnfiltered } from "./unfiltered.mjs";

const require = createRequire(import.meta.url);
const NODE_MODULES = fileURLToPath(new URL("../../node_modules", import.meta.url));
const MAX_BODY_BYTES = 50 * 2 ** 20;
const MAX_REST_BODY_BYTES = 5 * 2 ** 20; // as app.check_request says, which does not see a body of unknown length
const MAX_AUTH_BODY_BYTES = 64 * 1024;

// Any origin may call, because keys and tokens travel in headers.
const anyOrigin = cors({
  origin: "*",
  allowMethods: ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"],
  exposeHeaders: [
    "Content-Encoding",
    "Content-Location",
    "Content-Range",
    "Content-Type",
    "Date",
    "Location",
    "Preference-Applied",
    "Range-Unit",
    "Retry-After",
    "X-Request-Id",
    "Traceparent",
  ],
  maxAge: 3600,
});

/** How each part tells a failure. */
const SHAPES = {
  rest: ({ code, message }) => ({ code, message, details: null, hint: null }),
  auth: ({ status, code, authCode = code, message }) => ({ code: status, error_code: authCode, msg: message }),
  functions: ({ code, message }, id) => ({ error: { code, message, request_id: id } }),
};

function fail(c, failure) {
  const shape = SHAPES[c.get("route")] ?? (({ message }) => ({ message }));
  return c.json(shape(failure, c.get("requestId")), failure.status);
}

const INVALID_PATH = { code: "PGRST125", details: null, hint: null, message: "Invalid path specified in request URL" };

const INVALID_QUERY = { code: "PGRST100", details: null, hint: null, message: "The query is not UTF-8" };

/** Whether the bytes of a query, percent-encoded or not, are UTF-8. */
function isText(query) {
  const bytes = query.replace(/%([0-9a-f]{2})/gi, (_, code) => String.fromCharCode(Number.parseInt(code, 16)));
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(Buffer.from(bytes, "latin1"));
    return true;
  } catch {
    return false;
  }
}

/** What the client asked for, byte for byte. */
const target = (c) => c.env.incoming.url;

const forwarded = (c) => ({
  "x-forwarded-for": c.env.incoming.socket.remoteAddress ?? null,
  "x-forwarded-host": c.req.header("host") ?? null,
  "x-forwarded-proto": "http",
  "x-request-id": c.get("requestId"),
  traceparent: c.get("traceparent"),
});

/** The W3C trace context: the client's, or a new one. Every log that a call leaves a line in has its id. */
async function traced(c, next) {
  const given = c.req.header("traceparent") ?? "";
  const fits = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/.test(given);
  c.set("traceparent", fits ? given : `00-${randomBytes(16).toString("hex")}-${randomBytes(8).toString("hex")}-01`);
  await next();
}

/** The request's id: the client's, or a new one. It is logged, so a key that was put there is none. */
async function identified(c, next) {
  const given = c.req.header("x-request-id") ?? "";
  c.set("requestId", /^[\w=-]{1,128}$/.test(given) && !holdsSecret(given) ? given : randomUUID());
  c.header("x-request-id", c.get("requestId"));
  await next();
}

/** Log each request once it is answered: never the query, for filters and keys are in it. */
async function logged(c, next) {
  const started = performance.now();
  const { outgoing } = c.env;
  outgoing.once("close", () => {
    if (c.req.path === "/health") return;
    log(outgoing.statusCode >= 500 ? "error" : "info", "request", {
      request_id: c.get("requestId"),
      trace_id: c.get("traceparent").split("-")[1],
      route: c.get("route") ?? "none",
      method: c.req.method,
      path: safePath(target(c)),
      status: outgoing.statusCode,
      complete: outgoing.writableFinished,
      duration_ms: Math.round(performance.now() - started),
    });
  });
  await next();
}

/** Answer once the caller has a place; it is theirs until the answer is sent. */
async function inPlace(c, takePlace, authorization, answer) {
  const { incoming, outgoing } = c.env;
  const release = await takePlace(authorization, incoming.socket.remoteAddress);
  if (!release) {
    c.header("retry-after", "1");
    return fail(c, FAILURES.tooMany);
  }
  if (outgoing.destroyed) {
    release(0);
    return c.body(null); // which nobody hears
  }
  outgoing.once("close", () => release(outgoing.statusCode));
  return answer();
}

/** Whatever is below a prefix: only as it is written, for services get the path as it came. */
const below = (name, limit) => [
  async (c, next) => {
    if (!target(c).startsWith(`/${name}/v1`)) return c.notFound();
    c.set("route", name);
    await next();
  },
  bodyLimit({ maxSize: limit, onError: (c) => fail(c, FAILURES.tooLarge) }),
];

/** Build the application: { fetch, close }. */
export function createApp(config) {
  const { resolveKey, consoleDir, publishableKey, timeoutMs } = config;
  const rest = createProxy(config.restUrl, timeoutMs);
  const functions = createProxy(config.functionsUrl, timeoutMs);
  const auth = createAuth(config);
  const [restPlaces, authPlaces] = [createPlaces(config), createPlaces(config)];
  /** @type {Hono<any>} */
  const app = new Hono();

  app.use(traced, identified, logged);
  app.get("/health", (c) => c.json({ status: "ok" }));

  // The key becomes the token of its role, the prefix goes.
  app.use("/rest/v1/*", anyOrigin, ...below("rest", MAX_REST_BODY_BYTES), async (c) => {
    const [path, ...query] = target(c).split("?");
    const { authorization, refusal } = resolveKey(c.req.raw.headers, c.req.query("apikey"));
    if (refusal) return c.json(refusal, 401);
    if (path.includes("%00")) return c.json(INVALID_PATH, 404); // PostgREST breaks the connection over it
    if (!isText(query.join("?"))) return c.json(INVALID_QUERY, 400); // PostgREST answers with 500
    const unfiltered = refuseUnfiltered(c.req.method, path, new URLSearchParams(query.join("?")));
    if (unfiltered) return c.json(unfiltered, 400, { "content-type": "application/json; charset=utf-8" });
    return inPlace(c, restPlaces, authorization, () =>
      rest.forward(c, {
        path: (path.slice("/rest/v1".length) || "/") + withoutApiKey(query.join("?")),
        headers: { ...forwarded(c), authorization, apikey: null },
      }),
    );
  });

  app.use("/auth/v1/*", anyOrigin, ...below("auth", MAX_AUTH_BODY_BYTES), (c) =>
    inPlace(c, authPlaces, c.req.header("authorization") ?? "", () => auth.handle(c)),
  );

  // All as it came: functions check callers and signatures themselves, and answer preflights.
  app.use("/functions/v1/*", ...below("functions", MAX_BODY_BYTES), async (c) => {
    const answer = await functions.forward(c, { path: target(c), headers: forwarded(c) });
    const defaults = { "access-control-allow-origin": "*", "x-request-id": c.get("requestId") };
    for (const [name, value] of Object.entries(defaults)) {
      if (!answer.headers.has(name)) answer.headers.set(name, value);
    }
    return answer;
  });

  if (consoleDir) {
    app.use("/*", async (c, next) => {
      c.set("route", "console");
      if (!["GET", "HEAD"].includes(c.req.method))
        return c.json({ message: "Method not allowed" }, 405, { allow: "GET, HEAD" });
      c.header("cache-control", "no-cache"); // files change while one works on them
      c.header("x-content-type-options", "nosniff");
      await next();
    });
    app.get("/config.json", (c) => c.json({ publishable_key: publishableKey })); // which is no secret
    const rewriteRequestPath = (path) => path.slice("/api/ui".length);
    app.get("/api/ui/*", serveStatic({ root: dirname(require.resolve("swagger-ui-dist")), rewriteRequestPath }));
    // The libraries of the page, from where npm puts them.
    const libraries = new Map(Object.entries(JSON.parse(readFileSync(`${consoleDir}/vendor.json`, "utf8"))));
    app.get("/vendor/:name", (c, next) => {
      const file = libraries.get(c.req.param("name"));
      return file ? serveStatic({ root: NODE_MODULES, path: file })(c, next) : next();
    });
    const files = serveStatic({ root: consoleDir });
    app.get("/*", (c, next) => (c.req.path.includes("/.") ? next() : files(c, next)));
  }

  app.notFound((c) => {
    const isConsole = c.get("route") === "console";
    if (!isConsole) c.header("access-control-allow-origin", "*");
    return c.json({ message: isConsole ? "Not found" : "no Route matched with those values" }, 404);
  });
  app.onError((error, c) => {
    const failure = error instanceof UpstreamError ? error.failure : FAILURES.internal;
    const details = failure === FAILURES.internal ? { error: error.name, stack: framesOf(error) } : {};
    const cause = /** @type {any} */ (error.cause)?.code;
    log("error", "failed", { request_id: c.get("requestId"), code: failure.code, cause, ...details });
    if (c.get("route") === "functions") c.header("access-control-allow-origin", "*");
    return fail(c, failure);
  });

  return { fetch: app.fetch, close: () => Promise.all([rest.close(), functions.close(), auth.close()]) };
}
