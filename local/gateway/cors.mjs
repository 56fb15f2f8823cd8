// Cross-origin access, as Supabase grants it: any origin may call, because keys and tokens travel in headers.

const METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";
const REQUEST_HEADERS = [
  "authorization", "apikey", "x-client-info", "content-type", "accept", "accept-profile", "content-profile",
  "prefer", "range", "range-unit", "x-request-id", "x-supabase-api-version",
].join(", ");
const EXPOSED_HEADERS = [
  "Content-Encoding", "Content-Location", "Content-Range", "Content-Type", "Date", "Location",
  "Preference-Applied", "Range-Unit", "Retry-After", "X-Request-Id",
].join(", ");

export const isPreflight = (request) =>
  request.method === "OPTIONS" && "access-control-request-method" in request.headers;

/** Headers of every answer that may be read from another origin. */
export const corsHeaders = () => ({
  "access-control-allow-origin": "*",
  "access-control-expose-headers": EXPOSED_HEADERS,
});

/** Answer a preflight: it carries no key, so it must be answered before keys are looked at. */
export function answerPreflight(request, response) {
  response.writeHead(204, {
    "access-control-allow-origin": "*",
    "access-control-allow-methods": METHODS,
    "access-control-allow-headers": request.headers["access-control-request-headers"] ?? REQUEST_HEADERS,
    "access-control-max-age": "3600",
    vary: "Access-Control-Request-Headers",
  });
  response.end();
}
