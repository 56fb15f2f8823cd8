// /realtime/v1/websocket: what Supabase Realtime does for those who listen to broadcasts, in the gateway's process.

import http from "node:http";

import { WebSocketServer } from "ws";

import { Connection } from "./connection.mjs";
import { openDatabase } from "./database.mjs";
import { VERSIONS } from "./protocol.mjs";
import { createTokenVerifier } from "./tokens.mjs";

const PATH = "/realtime/v1/websocket";
const GOING_AWAY = 1001;
const GRACE_MS = 1_000;
const FRAME_BYTES = 256 * 1024; // a larger frame closes the socket with 1009

/** Answer a handshake that is refused as the HTTP request it is. */
function refuse(request, socket, status, body) {
  const response = new http.ServerResponse(request);
  response.assignSocket(socket);
  response.shouldKeepAlive = false;
  response.once("finish", () => socket.end());
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

/**
 * Give a request back to the server as if it had offered no upgrade. A server that listens for upgrades gets every
 * request that offers one, for instance to HTTP/2 (`Upgrade: h2c`); RFC 9110, 7.8: an offer may be ignored.
 */
function asOrdinaryRequest(server, request, socket, head) {
  const lines = [`${request.method} ${request.url} HTTP/${request.httpVersion}`];
  for (const [name, values] of Object.entries(request.headersDistinct)) {
    if (!["upgrade", "connection"].includes(name)) lines.push(...values.map((value) => `${name}: ${value}`));
  }
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"), head]));
  server.emit("connection", socket);
}

/**
 * Serve WebSockets on `server` (http.Server); `realtimeDatabaseUrl`: see database.mjs, `resolveKey`: see gateway/keys.mjs.
 * Returns { close() }, to be called before the server is closed: it does not wait for WebSockets.
 */
export function attachRealtime(server, { realtimeDatabaseUrl, jwtSecret, resolveKey }) {
  const connections = new Set();
  const database = openDatabase(realtimeDatabaseUrl);
  const services = { verify: createTokenVerifier(jwtSecret), canRead: database.canRead };
  const webSockets = new WebSocketServer({ noServer: true, maxPayload: FRAME_BYTES, perMessageDeflate: false });
  database.follow((message) => {
    for (const connection of connections) connection.deliver(message);
  });

  server.on("upgrade", (request, socket, head) => {
    const [path, search] = request.url.split("?");
    if (path !== PATH) return asOrdinaryRequest(server, request, socket, head);

    const query = new URLSearchParams(search);
    // The key alone opens the socket; whose token it is that speaks, each join says for itself.
    const { authorization, ...headers } = request.headers;
    const key = resolveKey(new Headers(headers), query.get("apikey"));
    if (key.refusal) return refuse(request, socket, 401, key.refusal);
    const vsn = query.get("vsn") ?? "1.0.0";
    const unknown = { message: "Unknown protocol version", hint: "vsn is 1.0.0 or 2.0.0" };
    if (!VERSIONS.includes(vsn)) return refuse(request, socket, 400, unknown);

    webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      const keyToken = key.authorization.slice("Bearer ".length);
      const connection = new Connection({ socket: webSocket, vsn, keyToken, services });
      connections.add(connection);
      webSocket.on("close", () => connections.delete(connection));
    });
  });

  return {
    async close() {
      for (const client of webSockets.clients) client.close(GOING_AWAY);
      setTimeout(() => {
        for (const client of webSockets.clients) client.terminate();
      }, GRACE_MS).unref();
      await database.close();
    },
  };
}
