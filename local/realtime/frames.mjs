// Phoenix frames ↔ messages. Version 1.0.0 sends objects (realtime-py), 2.0.0 arrays and binary broadcasts (realtime-js).
//
// A message: { joinRef, ref, topic, event, payload }; refs are strings or null, payload is an object.

const MAX_NAME_BYTES = 255;
const BROADCAST_PUSH = 3; // kinds of binary frames: from a client, to a client
const BROADCAST = 4;
const JSON_ENCODING = 1;

/** A frame that no client of this protocol sends. */
export class FrameError extends Error {}

const isRef = (value) => value === null || (typeof value === "string" && value.length <= MAX_NAME_BYTES);
const isName = (value) => typeof value === "string" && value !== "" && Buffer.byteLength(value) <= MAX_NAME_BYTES;
const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    throw new FrameError("not JSON");
  }
}

function checked({ joinRef = null, ref = null, topic, event, payload }) {
  if (!isRef(joinRef) || !isRef(ref) || !isName(topic) || !isName(event) || !isObject(payload)) {
    throw new FrameError("not a message");
  }
  return { joinRef, ref, topic, event, payload };
}

/** A broadcast from realtime-js: kind, five lengths and the encoding (a byte each), then the parts, one after another. */
function decodeBroadcast(bytes) {
  if (bytes.length < 7 || bytes[0] !== BROADCAST_PUSH) throw new FrameError("unknown kind of binary frame");
  let offset = 7;
  const [joinRef, ref, topic, event] = [1, 2, 3, 4, 5].map((index) => {
    const part = bytes.subarray(offset, offset + bytes[index]);
    offset += bytes[index];
    return part.toString("utf8");
  }); // the fifth part, metadata, has no meaning to the server
  if (offset > bytes.length) throw new FrameError("binary frame cut off");
  const rest = bytes.subarray(offset);
  const payload = bytes[6] === JSON_ENCODING ? parse(rest.toString("utf8")) : rest;
  const broadcast = { type: "broadcast", event, payload };
  return checked({ joinRef: joinRef || null, ref: ref || null, topic, event: "broadcast", payload: broadcast });
}

function encodeBroadcast({ topic, payload: { event, payload } }) {
  const names = [Buffer.from(topic), Buffer.from(event)];
  return Buffer.concat([Buffer.from([BROADCAST, names[0].length, names[1].length, 0, 0]), ...names, payload]);
}

const carriesBytes = ({ event, payload }) => event === "broadcast" && Buffer.isBuffer(payload.payload);

const objects = {
  decode(data, isBinary) {
    if (isBinary) throw new FrameError("binary frame in protocol 1.0.0");
    const frame = parse(data.toString("utf8"));
    if (!isObject(frame)) throw new FrameError("not a message");
    return checked({ ...frame, joinRef: frame.join_ref });
  },
  encode: (message) => {
    if (carriesBytes(message)) return null;
    const { joinRef, ref, topic, event, payload } = message;
    return JSON.stringify({ join_ref: joinRef, ref, topic, event, payload });
  },
};

const arrays = {
  decode(data, isBinary) {
    if (isBinary) return decodeBroadcast(data);
    const frame = parse(data.toString("utf8"));
    if (!Array.isArray(frame)) throw new FrameError("not a message");
    const [joinRef, ref, topic, event, payload] = frame;
    return checked({ joinRef, ref, topic, event, payload });
  },
  encode: (message) => {
    if (carriesBytes(message)) return encodeBroadcast(message);
    const { joinRef, ref, topic, event, payload } = message;
    return JSON.stringify([joinRef, ref, topic, event, payload]);
  },
};

/**
 * decode(Buffer, isBinary) → message (throws FrameError) and encode(message) → text or bytes, or null where the
 * version cannot say it (bytes in 1.0.0), for a protocol version; undefined for an unknown one.
 */
export const PROTOCOLS = new Map([["1.0.0", objects], ["2.0.0", arrays]]);
