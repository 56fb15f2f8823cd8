// The answers that the gateway gives itself, and how the services behind it can fail.

/** Answer with JSON. Does nothing when the answer has begun already or nobody listens any more. */
export function sendJson(response, status, body, headers = {}) {
  if (response.headersSent || response.destroyed) return;
  const payload = Buffer.from(JSON.stringify(body));
  response.writeHead(status, { "content-type": "application/json", "content-length": payload.length, ...headers });
  response.end(response.req.method === "HEAD" ? undefined : payload);
}

/** How a service fails; every route says it in the shape its clients expect. */
export const FAILURES = Object.freeze({
  unavailable: { status: 503, code: "upstream_unavailable", message: "The service is not reachable right now." },
  timeout: { status: 504, code: "upstream_timeout", message: "The service did not answer in time." },
  internal: { status: 500, code: "unexpected_failure", message: "Unexpected failure, please check the server logs." },
  tooLarge: { status: 413, code: "payload_too_large", message: "The request body is too large." },
});
