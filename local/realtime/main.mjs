// /realtime/v1/websocket: what Supabase Realtime does for broadcasts, in the gateway's own process.

import http from "node:http";

import { WebSocketServer } from "ws";

import { sendJson } from "../gateway/replies.mjs";
import { createAuthorizer } from "./authorization.mjs";
import { Connection } from "./connection.mjs";
import { PROTOCOLS } from "./frames.mjs";
import { LIMITS } from "./limits.mjs";
import { followMessages } from "./messages.mjs";
import { createTokenVerifier } from "./tokens.mjs";
import { Topics } from "./topics.mjs";
import { asOrdinaryRequest } from "./upgrade.mjs";

const PATH = "/realtime/v1/websocket";
const GOING_AWAY = 1001;
const GRACE_MS = 1_000;

/** Answer a handshake that is refused as the HTTP request it is. */
function refuse(request, socket, status, body) {
  const response = new http.ServerResponse(request);
  response.assignSocket(socket);
  response.shouldKeepAlive = false;
  response.once("finish", () => socket.end());
  sendJson(response, status, body);
}

/**
 * Serve WebSockets on `server` (http.Server).
 *
 * realtimeDatabaseUrl : login that may become anon, authenticated and service_role.
 * resolveKey          : (request, query) → { authorization } or { refusal }, see gateway/keys.mjs.
 * Returns { close() }, to be called before the server is closed: it does not wait for WebSockets.
 */
export function attachRealtime(server, { realtimeDatabaseUrl, jwtSecret, resolveKey }) {
  const topics = new Topics();
  const authorizer = createAuthorizer(realtimeDatabaseUrl);
  const services = { verify: createTokenVerifier(jwtSecret), authorizer, topics };
  const follower = followMessages({ databaseUrl: realtimeDatabaseUrl, deliver: (message) => topics.publish(message) });
  const webSockets = new WebSocketServer({ noServer: true, maxPayload: LIMITS.frameBytes, perMessageDeflate: false });

  server.on("upgrade", (request, socket, head) => {
    const [path, search] = request.url.split("?");
    if (path !== PATH) return asOrdinaryRequest(server, request, socket, head);

    const query = new URLSearchParams(search);
    // The key alone opens the socket; whose token it is that speaks, each join says for itself.
    const key = resolveKey({ headers: { ...request.headers, authorization: undefined } }, query);
    if (key.refusal) return refuse(request, socket, 401, key.refusal);
    const protocol = PROTOCOLS.get(query.get("vsn") ?? "1.0.0");
    if (!protocol) return refuse(request, socket, 400, { message: "Unknown protocol version", hint: "vsn is 1.0.0 or 2.0.0" });

    webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      const keyToken = key.authorization.slice("Bearer ".length);
      new Connection({ socket: webSocket, protocol, keyToken, services });
    });
  });

  return {
    async close() {
      for (const client of webSockets.clients) client.close(GOING_AWAY);
      setTimeout(() => webSockets.clients.forEach((client) => client.terminate()), GRACE_MS).unref();
      await Promise.all([follower.close(), authorizer.close()]);
    },
  };
}
