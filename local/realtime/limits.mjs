// What one client may ask of the server.

export const LIMITS = Object.freeze({
  frameBytes: 256 * 1024, // a larger frame closes the socket with 1009
  channelsPerSocket: 100, // as on Supabase
  unsentBytes: 4 * 2 ** 20,
  idleMs: 60_000, // clients send a heartbeat every 25 s
});
