// The gateway's entry point: settings, server, and an orderly end. Start with `node local/gateway/main.mjs`.

import { ConfigError, readConfig } from "./config.mjs";
import { captureConsole, log } from "./logs.mjs";

const GRACE_MS = 5_000;
// Longer than clients keep idle connections (httpx: 5 s), so that they never write into one that is closing.
const KEEP_ALIVE_MS = 65_000;

// What Node's parser refuses before there is a request: [status, what the answer says].
const UNREADABLE = {
  HPE_HEADER_OVERFLOW: ["431 Request Header Fields Too Large", "Address and headers have over 16 KiB: ask in parts."],
  ERR_HTTP_REQUEST_TIMEOUT: ["408 Request Timeout", "The request did not arrive in time."],
};

/** Answer as PostgREST does: JSON with a message, which pages of other origins may read. */
function refuseUnreadable(error, socket) {
  if (!socket.writable || error.code === "ECONNRESET") return socket.destroy();
  const [status, message] = UNREADABLE[error.code] ?? ["400 Bad Request", "This is no HTTP request."];
  const body = JSON.stringify({ code: "bad_request", message, details: null, hint: null });
  const headers = ["content-type: application/json", "access-control-allow-origin: *", "connection: close"];
  socket.end(`HTTP/1.1 ${status}\r\n${headers.join("\r\n")}\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
}

captureConsole(); // before the libraries are loaded

async function start() {
  const config = readConfig(process.env);
  const { createAdaptorServer } = await import("@hono/node-server");
  const { createApp } = await import("./app.mjs");
  const { createKeyResolver } = await import("./keys.mjs");
  const { attachRealtime } = await import("../realtime/main.mjs");

  const resolveKey = createKeyResolver(config);
  const app = createApp({ ...config, resolveKey });
  const serverOptions = { keepAliveTimeout: KEEP_ALIVE_MS };
  const server = /** @type {import("node:http").Server} */ (createAdaptorServer({ fetch: app.fetch, serverOptions }));
  const realtime = config.realtimeDatabaseUrl ? attachRealtime(server, { ...config, resolveKey }) : null;

  server.on("clientError", refuseUnreadable);
  server.on("error", (/** @type {NodeJS.ErrnoException} */ error) => {
    log("error", "cannot_listen", { port: Number(config.port), code: error.code });
    process.exit(1);
  });
  server.listen(Number(config.port), "127.0.0.1", () => log("info", "listening", { port: Number(config.port) }));

  async function stop(signal) {
    log("info", "stopping", { signal });
    const realtimeClosed = realtime?.close(); // first: the server below waits for all sockets
    // Answers in flight are finished; a connection goes when it falls idle, at the latest after the grace.
    setInterval(() => server.closeIdleConnections(), 20).unref();
    setTimeout(() => server.closeAllConnections(), GRACE_MS).unref();
    await new Promise((resolve) => server.close(resolve));
    await Promise.all([realtimeClosed, app.close()]);
    log("info", "stopped");
    process.exit(0);
  }
  for (const signal of ["SIGTERM", "SIGINT"]) process.once(signal, stop);
}

try {
  await start();
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  process.stderr.write(`gateway: ${error.message}\n`);
  process.exit(1);
}
