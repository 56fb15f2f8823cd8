// Phoenix frames ↔ messages: version 1.0.0 sends objects (realtime-py), 2.0.0 arrays (realtime-js).
//
// A message: { joinRef, ref, topic, event, payload }; refs are strings or null, payload is an object.

/** A frame that no client of this protocol sends. */
export class FrameError extends Error {}

/** Why a channel is refused or closed, in the words of Supabase Realtime: `code` for programs, `message` for people. */
export class Refusal extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
    this.reason = code ? `${code}: ${message}` : message;
  }
}

const isRef = (value) => value === null || typeof value === "string";
const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

function checked({ joinRef = null, ref = null, topic, event, payload }) {
  if (![joinRef, ref].every(isRef) || !topic?.trim || !event?.trim || !isObject(payload)) {
    throw new FrameError("not a message");
  }
  return { joinRef, ref, topic, event, payload };
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    throw new FrameError("not JSON");
  }
}

/** decode(text) → message (throws FrameError) and encode(message) → text, by the version that a client asks for. */
export const PROTOCOLS = new Map([
  [
    "1.0.0",
    {
      decode(text) {
        const frame = parse(text);
        return checked({ ...frame, joinRef: frame?.join_ref });
      },
      encode: ({ joinRef, ref, topic, event, payload }) =>
        JSON.stringify({ join_ref: joinRef, ref, topic, event, payload }),
    },
  ],
  [
    "2.0.0",
    {
      decode(text) {
        const frame = parse(text);
        if (!Array.isArray(frame)) throw new FrameError("not a message");
        const [joinRef, ref, topic, event, payload] = frame;
        return checked({ joinRef, ref, topic, event, payload });
      },
      encode: ({ joinRef, ref, topic, event, payload }) => JSON.stringify([joinRef, ref, topic, event, payload]),
    },
  ],
]);
