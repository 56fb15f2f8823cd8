// Forwarding a request to one service: bodies pass byte for byte, in both directions, without buffering.

import http from "node:http";
import { pipeline, Readable } from "node:stream";
import { setImmediate, setTimeout as sleep } from "node:timers/promises";

// Below the shortest keep-alive of the services (uvicorn: 5 s), so that the gateway always closes first.
const IDLE_SOCKET_MS = 4_000;
// RFC 9110, 7.6.1: these speak about one connection, not about the message. Expect is answered by Node itself.
const HOP_BY_HOP = [
  "connection",
  "keep-alive",
  "proxy-connection",
  "proxy-authenticate",
  "proxy-authorization",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "expect",
];

/** How a service fails; every route says it in the shape its clients expect. */
export const FAILURES = Object.freeze({
  unavailable: { status: 503, code: "upstream_unavailable", message: "The service is not reachable right now." },
  timeout: { status: 504, code: "upstream_timeout", message: "The service did not answer in time." },
  internal: { status: 500, code: "unexpected_failure", message: "Unexpected failure, please check the server logs." },
  tooMany: {
    status: 429,
    code: "rate_limited",
    authCode: "over_request_rate_limit",
    message: "Too many requests at once; try again shortly.",
  },
  tooLarge: { status: 413, code: "payload_too_large", message: "The request body is too large." },
});

export class UpstreamError extends Error {
  constructor(failure, cause) {
    super(failure.message, { cause });
    this.failure = failure;
  }
}

/** A copy without what concerns one connection only. */
function endToEnd(headers) {
  const kept = new Headers(headers);
  const named = (kept.get("connection") ?? "")
    .split(",")
    .map((name) => name.trim())
    .filter(Boolean);
  for (const name of [...HOP_BY_HOP, ...named]) kept.delete(name);
  return kept;
}

// A list of a thousand rows is smaller. At most some 13 MB a second of a larger one, or nobody else gets a processor.
const LARGE_BYTES = 2 * 1024 * 1024;
const LEISURE_MS = 5;
const BYTES = { objectMode: false, highWaterMark: 64 * 1024 };

/** A body's chunks, each when all other connections have had their turn; a large one's from then on at leisure. */
async function* inTurn(body) {
  let passed = 0;
  for await (const chunk of body) {
    yield chunk;
    passed += chunk.length;
    await (passed > LARGE_BYTES ? sleep(LEISURE_MS) : setImmediate());
  }
}

/**
 * Build forward(context, { path, headers }) → Response, to the service at `origin`; throws UpstreamError.
 * path: as it is asked for, query included; headers: to set (string) or to drop (null).
 */
export function createProxy(origin, timeoutMs) {
  const pool = new http.Agent({ keepAlive: true, maxFreeSockets: 32, timeout: IDLE_SOCKET_MS });

  function ask(options, body) {
    return new Promise((resolve, reject) => {
      const outgoing = http.request(origin, options, resolve);
      outgoing.on("timeout", () => outgoing.destroy(new UpstreamError(FAILURES.timeout)));
      outgoing.on("error", (/** @type {NodeJS.ErrnoException} */ error) => {
        // The service closed a kept connection while this request was on its way into it.
        const lostRace = outgoing.reusedSocket && error.code === "ECONNRESET" && options.method === "GET";
        if (lostRace) ask({ ...options, agent: false }, null).then(resolve, reject);
        else reject(error instanceof UpstreamError ? error : new UpstreamError(FAILURES.unavailable, error));
      });
      if (body) pipeline(Readable.fromWeb(body), outgoing, () => {});
      else outgoing.end();
    });
  }

  async function forward(c, { path, headers: changes }) {
    const { method, raw } = c.req;
    const headers = endToEnd(raw.headers);
    for (const [name, value] of Object.entries(changes))
      value === null ? headers.delete(name) : headers.set(name, value);
    const hasBody = raw.headers.has("transfer-encoding") || Number(raw.headers.get("content-length")) > 0;
    const sent = hasBody ? raw.body : null;
    // That of a GET is not sent on. Announced all the same, it would be taken from the next request, of somebody else.
    if (!sent) headers.delete("content-length");
    // Node frames a body of unknown length by itself only for methods that usually have one.
    if (sent && !headers.has("content-length")) headers.set("transfer-encoding", "chunked");
    const answer = await ask(
      {
        method,
        path,
        headers: Object.fromEntries(headers),
        // PostgREST closes the connection after each HEAD without announcing it: such a connection is not pooled.
        agent: method === "HEAD" ? false : pool,
        timeout: timeoutMs,
        signal: raw.signal, // a client that leaves ends the request behind
      },
      sent,
    );
    const pairs = Object.entries(answer.headersDistinct).flatMap(([name, values]) => values.map((v) => [name, v]));
    const isEmpty = method === "HEAD" || [204, 205, 304].includes(answer.statusCode);
    if (isEmpty) answer.resume();
    const body = isEmpty ? null : /** @type {any} */ (Readable.toWeb(Readable.from(inTurn(answer), BYTES)));
    return new Response(body, { status: answer.statusCode, headers: endToEnd(pairs) });
  }

  return { forward, close: () => pool.destroy() };
}
