// The gateway's entry point: settings, routes, server, and an orderly end. Start with `node local/gateway/main.mjs`.

import { ConfigError, readConfig } from "./config.mjs";
import { captureConsole, log } from "./logs.mjs";

const GRACE_MS = 5_000;

captureConsole(); // before the libraries are loaded

async function start() {
  const config = readConfig(process.env);
  const { createAuthRoute } = await import("./auth.mjs");
  const { createConsoleRoute } = await import("./console.mjs");
  const { createKeyResolver } = await import("./keys.mjs");
  const { createFunctionsRoute, createRestRoute } = await import("./routes.mjs");
  const { createServer } = await import("./server.mjs");
  const { attachRealtime } = await import("../realtime/main.mjs");

  const resolveKey = createKeyResolver(config);
  const routes = [
    createRestRoute({ ...config, resolveKey }),
    createAuthRoute({ ...config, resolveKey }),
    createFunctionsRoute(config),
    ...(config.consoleDir ? [createConsoleRoute(config.consoleDir, config.publishableKey)] : []),
  ];
  const server = createServer(routes);
  const realtime = config.realtimeDatabaseUrl ? attachRealtime(server, { ...config, resolveKey }) : null;

  server.on("error", (error) => {
    log("error", "cannot_listen", { port: config.port, code: error.code });
    process.exit(1);
  });
  server.listen(config.port, "127.0.0.1", () => log("info", "listening", { port: config.port }));

  let stopping = false;
  for (const signal of ["SIGTERM", "SIGINT"]) {
    process.on(signal, () => {
      if (stopping) return;
      stopping = true;
      log("info", "stopping", { signal });
      const realtimeClosed = realtime?.close(); // first: the server below waits for all sockets
      // Answers in flight are finished; a connection goes when it falls idle, at the latest after the grace.
      setInterval(() => server.closeIdleConnections(), 20).unref();
      setTimeout(() => server.closeAllConnections(), GRACE_MS).unref();
      server.close(async () => {
        await Promise.all([realtimeClosed, ...routes.map((route) => route.close())]);
        log("info", "stopped");
        process.exit(0);
      });
    });
  }
}

try {
  await start();
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  process.stderr.write(`gateway: ${error.message}\n`);
  process.exit(1);
}
