// The single origin: one HTTP server that gives each request an id, finds its route, and logs how it ended.

import { randomUUID } from "node:crypto";
import http from "node:http";

import { answerPreflight, corsHeaders, isPreflight } from "./cors.mjs";
import { framesOf, log, safePath } from "./logs.mjs";
import { sendJson } from "./replies.mjs";

// Longer than clients keep idle connections (httpx: 5 s), so that they never write into one that is closing.
const KEEP_ALIVE_MS = 65_000;
const NO_ROUTE = { message: "no Route matched with those values" };

function requestContext(request) {
  const [path, ...rest] = request.url.split("?");
  const search = rest.length > 0 ? `?${rest.join("?")}` : "";
  const given = request.headers["x-request-id"];
  const requestId = /^[\w.-]{1,128}$/.test(given ?? "") ? given : randomUUID();
  return { path, search, query: new URLSearchParams(search), requestId, answerHeaders: { "x-request-id": requestId } };
}

function logOnceAnswered(request, response, route, { path, requestId }) {
  const started = performance.now();
  response.once("close", () => {
    log(response.statusCode >= 500 ? "error" : "info", "request", {
      request_id: requestId,
      route: route?.name ?? "none",
      method: request.method,
      path: safePath(path),
      status: response.statusCode,
      complete: response.writableFinished,
      duration_ms: Math.round(performance.now() - started),
    });
  });
}

/**
 * Build the gateway's HTTP server. `routes`: [{ name, prefix, preflight, handle(request, response, context) }];
 * the first whose prefix matches is taken, and `preflight` says that the gateway answers CORS preflights for it.
 */
export function createServer(routes) {
  const find = (path) => routes.find(({ prefix }) => path === prefix || path.startsWith(`${prefix.replace(/\/$/, "")}/`));

  // WebSockets (/realtime/v1) come on the "upgrade" event, see ../realtime; other offers to upgrade are ignored.
  const server = http.createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, async (request, response) => {
    const context = requestContext(request);
    if (context.path === "/health") return sendJson(response, 200, { status: "ok" }, context.answerHeaders);

    const route = find(context.path);
    logOnceAnswered(request, response, route, context);
    if (!route) return sendJson(response, 404, NO_ROUTE, { ...context.answerHeaders, ...corsHeaders() });
    if (route.preflight && isPreflight(request)) return answerPreflight(request, response);
    try {
      await route.handle(request, response, context);
    } catch (error) {
      if (response.destroyed) return; // the client left; the request's line in the log says so
      log("error", "unexpected", { request_id: context.requestId, error: error.name, stack: framesOf(error) });
      sendJson(response, 500, { message: "An unexpected error occurred" }, context.answerHeaders);
      if (!response.writableEnded) response.destroy();
    }
  });
  return server;
}
