// A streaming HTTP/1.1 proxy to one service: bodies pass byte for byte, in both directions, without buffering.

import http from "node:http";
import { pipeline } from "node:stream";

import { log } from "./logs.mjs";
import { FAILURES } from "./replies.mjs";

const TIMEOUT_MS = 35_000;
const MAX_BODY_BYTES = 50 * 2 ** 20;
// Below the shortest keep-alive of the services (uvicorn: 5 s), so that the gateway always closes first.
const IDLE_SOCKET_MS = 4_000;
const DRAIN_PAUSE_MS = 10; // after each 64 KiB
const SAFE_METHODS = ["GET", "OPTIONS"];

// RFC 9110, 7.6.1: these speak about one connection, not about the message. Expect is answered by Node itself.
const HOP_BY_HOP = [
  "connection", "keep-alive", "proxy-connection", "proxy-authenticate", "proxy-authorization", "te", "trailer",
  "transfer-encoding", "upgrade", "expect",
];

/** [name, value, …] as received, without hop-by-hop headers and those named in `dropped`. */
function endToEnd(rawHeaders, connectionHeader, dropped) {
  const named = (connectionHeader ?? "").toLowerCase().split(",").map((name) => name.trim());
  const excluded = new Set([...HOP_BY_HOP, ...named, ...dropped]);
  const kept = [];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (!excluded.has(rawHeaders[i].toLowerCase())) kept.push(rawHeaders[i], rawHeaders[i + 1]);
  }
  return kept;
}

function requestHeaders(request, replaced) {
  const kept = endToEnd(request.rawHeaders, request.headers.connection, Object.keys(replaced));
  // Node frames a body of unknown length by itself only for methods that usually have one.
  const framing = "transfer-encoding" in request.headers ? ["transfer-encoding", "chunked"] : [];
  const set = Object.entries(replaced).filter(([, value]) => value !== null);
  return [...kept, ...framing, ...set.flat()];
}

function responseHeaders(incoming, added, isOwn) {
  const dropped = isOwn ? Object.keys(incoming.headers).filter(isOwn) : [];
  const kept = endToEnd(incoming.rawHeaders, incoming.headers.connection, dropped);
  const present = new Set(kept.filter((_, i) => i % 2 === 0).map((name) => name.toLowerCase()));
  return [...kept, ...Object.entries(added).filter(([name]) => !present.has(name)).flat()];
}

/** Read the rest, because a client that is still sending would not see the answer; without haste. */
function drain(request) {
  request.on("data", () => {
    request.pause();
    setTimeout(() => request.resume(), DRAIN_PAUSE_MS).unref();
  });
  request.resume();
}

/**
 * Build a proxy to `upstream` (URL of the origin).
 *
 * forward(request, response, { path, headers, answerHeaders, ownHeader, fail }):
 *   path           path and query to ask for
 *   headers        request headers to set (string) or to drop (null); lower-case names
 *   answerHeaders  added to the answer where the service did not set them itself
 *   ownHeader      predicate on names of answer headers that are the gateway's business alone
 *   fail           called once with a member of FAILURES when there is no answer to pass on
 */
export function createProxy(upstream, { timeoutMs = TIMEOUT_MS, maxBodyBytes = MAX_BODY_BYTES } = {}) {
  const pool = new http.Agent({ keepAlive: true, maxFreeSockets: 32, timeout: IDLE_SOCKET_MS });

  function forward(request, response, target) {
    const hasBody = "transfer-encoding" in request.headers || Number(request.headers["content-length"] ?? 0) > 0;
    let settled = false;

    function fail(failure, error) {
      if (settled) return;
      settled = true;
      request.unpipe();
      drain(request);
      log(failure.status >= 500 ? "error" : "warning", "forward_failed", {
        request_id: target.headers["x-request-id"],
        code: failure.code,
        cause: error?.code,
      });
      target.fail(failure);
    }

    function attempt(agent) {
      const outgoing = http.request(upstream, {
        method: request.method,
        path: target.path,
        headers: requestHeaders(request, target.headers),
        agent,
        timeout: timeoutMs,
      });
      outgoing.on("timeout", () => {
        fail(FAILURES.timeout);
        outgoing.destroy();
      });
      outgoing.on("error", (error) => {
        if (settled || response.destroyed) return;
        // The service closed a kept connection while this request was on its way into it.
        const lostRace = outgoing.reusedSocket && error.code === "ECONNRESET";
        if (lostRace && !hasBody && SAFE_METHODS.includes(request.method)) attempt(false);
        else fail(FAILURES.unavailable, error);
      });
      outgoing.on("response", (incoming) => {
        if (settled) return incoming.destroy();
        settled = true;
        const headers = responseHeaders(incoming, target.answerHeaders, target.ownHeader);
        response.writeHead(incoming.statusCode, incoming.statusMessage, headers);
        pipeline(incoming, response, (error) => {
          if (error) log("warning", "answer_cut_short", { cause: error.code });
        });
      });
      response.once("close", () => {
        if (!response.writableFinished) outgoing.destroy();
      });
      if (!hasBody) outgoing.end();
      return outgoing;
    }

    if (Number(request.headers["content-length"] ?? 0) > maxBodyBytes) return fail(FAILURES.tooLarge);
    // PostgREST closes the connection after each HEAD without announcing it: such a connection is not pooled.
    const outgoing = attempt(request.method === "HEAD" ? false : pool);
    if (!hasBody) return;
    let received = 0;
    request.on("data", (chunk) => {
      received += chunk.length;
      if (received > maxBodyBytes) {
        fail(FAILURES.tooLarge);
        outgoing.destroy();
      }
    });
    request.pipe(outgoing);
  }

  return { forward, close: () => pool.destroy() };
}
