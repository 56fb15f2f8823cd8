// Phoenix frames ↔ messages, and why a channel is refused.
//
// A message: { joinRef, ref, topic, event, payload }; refs are strings or null, payload is an object.

export const VERSIONS = ["1.0.0", "2.0.0"]; // objects (realtime-py), arrays (realtime-js)
const NAMES = ["join_ref", "ref", "topic", "event", "payload"];

/** A frame that no client of this protocol sends. */
export class FrameError extends Error {}

/** In the words of Supabase Realtime: `code` for programs, `message` for people, `reason` for an error reply. */
export class Refusal extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
    this.reason = code ? `${code}: ${message}` : message;
  }
}

export function decode(text, vsn) {
  let frame;
  try {
    frame = JSON.parse(text);
  } catch {
    throw new FrameError("not JSON");
  }
  if (Array.isArray(frame) !== (vsn === "2.0.0")) throw new FrameError("not a message");
  const [joinRef = null, ref = null, topic, event, payload] =
    vsn === "2.0.0" ? frame : NAMES.map((name) => frame?.[name]);
  const areRefs = [joinRef, ref].every((value) => value === null || typeof value === "string");
  const areNames = [topic, event].every((value) => typeof value === "string");
  if (!areRefs || !areNames || typeof payload !== "object" || payload === null || Array.isArray(payload)) {
    throw new FrameError("not a message");
  }
  return { joinRef, ref, topic, event, payload };
}

export function encode({ joinRef, ref, topic, event, payload }, vsn) {
  const parts = [joinRef, ref, topic, event, payload];
  return JSON.stringify(vsn === "2.0.0" ? parts : Object.fromEntries(NAMES.map((name, i) => [name, parts[i]])));
}
