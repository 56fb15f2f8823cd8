// What is behind the one origin: a prefix, the service it leads to, and how that service's clients expect errors.

import { corsHeaders } from "./cors.mjs";
import { withoutApiKey } from "./keys.mjs";
import { createProxy } from "./proxy.mjs";
import { sendJson } from "./replies.mjs";
import { createTurns } from "./turns.mjs";
import { refuseUnfiltered } from "./unfiltered.mjs";

const forwardedFor = (request) => ({
  "x-forwarded-for": request.socket.remoteAddress ?? null,
  "x-forwarded-host": request.headers.host ?? null,
  "x-forwarded-proto": "http",
});

const TOO_MANY = { code: "rate_limited", message: "Too many requests at once; try again shortly.", details: null, hint: null };
const MAX_REST_BODY_BYTES = 5 * 2 ** 20; // as app.check_request says, which does not see a body of unknown length

/** /rest/v1 → PostgREST: the key becomes the token of its role, the prefix goes. */
export function createRestRoute({ restUrl, resolveKey, jwtSecret, serviceRoleKey }) {
  const takeTurn = createTurns({ jwtSecret, serviceRoleKey });
  const proxy = createProxy(restUrl, { maxBodyBytes: MAX_REST_BODY_BYTES });
  async function handle(request, response, { path, search, query, requestId, answerHeaders }) {
    const headers = { ...answerHeaders, ...corsHeaders() };
    const { authorization, refusal } = resolveKey(request, query);
    if (refusal) return sendJson(response, 401, refusal, headers);
    const unfiltered = refuseUnfiltered(request.method, path, query);
    if (unfiltered) return sendJson(response, unfiltered.status, unfiltered.body, { ...headers, ...unfiltered.headers });
    const release = await takeTurn(authorization, request.socket.remoteAddress);
    if (!release) return sendJson(response, 429, TOO_MANY, { ...headers, "retry-after": "1" });
    if (response.destroyed) return release(0);
    response.once("close", () => release(response.statusCode));
    proxy.forward(request, response, {
      path: (path.slice("/rest/v1".length) || "/") + withoutApiKey(search),
      headers: {
        ...forwardedFor(request), authorization, apikey: null, "x-request-id": requestId,
        // As one header: of several, PostgREST follows the first and shows app.check_request the last.
        prefer: request.headers.prefer ?? null,
      },
      answerHeaders: headers,
      ownHeader: (name) => name.startsWith("access-control-"),
      fail: ({ status, code, message }) =>
        sendJson(response, status, { code, message, details: null, hint: null }, headers),
    });
  }
  return { name: "rest", prefix: "/rest/v1", preflight: true, handle, close: proxy.close };
}

/** /functions/v1 → the functions server: all as it came, since functions check callers and signatures themselves. */
export function createFunctionsRoute({ functionsUrl }) {
  const proxy = createProxy(functionsUrl);
  function handle(request, response, { path, search, requestId, answerHeaders }) {
    proxy.forward(request, response, {
      path: path + search,
      headers: { ...forwardedFor(request), "x-request-id": requestId },
      answerHeaders: { ...answerHeaders, "access-control-allow-origin": "*" },
      fail: ({ status, code, message }) =>
        sendJson(response, status, { error: { code, message, request_id: requestId } }, {
          ...answerHeaders,
          ...corsHeaders(),
        }),
    });
  }
  return { name: "functions", prefix: "/functions/v1", preflight: false, handle, close: proxy.close };
}
