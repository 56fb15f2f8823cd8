// A server that listens for upgrades gets every request that offers one, for instance to HTTP/2 (`Upgrade: h2c`).
// RFC 9110, 7.8: an offer may be ignored. Then the request is one like any other, body included.

/** Give a request back to the server as if it had offered no upgrade. */
export function asOrdinaryRequest(server, request, socket, head) {
  const lines = [`${request.method} ${request.url} HTTP/${request.httpVersion}`];
  for (let i = 0; i < request.rawHeaders.length; i += 2) {
    const name = request.rawHeaders[i];
    if (!["upgrade", "connection"].includes(name.toLowerCase())) lines.push(`${name}: ${request.rawHeaders[i + 1]}`);
  }
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"), head]));
  server.emit("connection", socket);
}
