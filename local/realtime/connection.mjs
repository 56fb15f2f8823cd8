// One WebSocket: frames in and out, heartbeats, and the channels that are joined over it.

import { framesOf, log } from "../gateway/logs.mjs";
import { Channel } from "./channel.mjs";
import { FrameError } from "./frames.mjs";
import { LIMITS } from "./limits.mjs";
import { Refusal } from "./refusal.mjs";

const PREFIX = "realtime:";
const CLOSE_INVALID = 1007;
const CLOSE_INTERNAL = 1011;

const isTrue = (value) => value === true || value === "true";

export class Connection {
  #socket;
  #protocol;
  #keyToken;
  #services;
  #channels = new Map(); // topic with prefix → Channel
  #queue = Promise.resolve();
  #waiting = 0;
  #idle;

  /** keyToken: the token of the API key's role, for joins that bring none of their own. */
  constructor({ socket, protocol, keyToken, services }) {
    this.#socket = socket;
    this.#protocol = protocol;
    this.#keyToken = keyToken;
    this.#services = services;
    this.#idle = setTimeout(() => socket.terminate(), LIMITS.idleMs).unref();
    socket.on("message", (data, isBinary) => this.#receive(data, isBinary));
    socket.on("ping", () => this.#idle.refresh());
    socket.on("close", () => this.#ended());
    socket.on("error", (error) => log("info", "realtime_socket_error", { code: error.code }));
  }

  /** Send a message; a client that no longer reads is cut off, and re-reads after it has reconnected. */
  send(message) {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    if (this.#socket.bufferedAmount > LIMITS.unsentBytes) {
      log("warning", "realtime_client_too_slow", { unsent_bytes: this.#socket.bufferedAmount });
      return this.#socket.terminate();
    }
    const frame = this.#protocol.encode(message);
    if (frame !== null) this.#socket.send(frame);
  }

  /** A channel has ended by itself. */
  closed(channel) {
    const topic = PREFIX + channel.topic;
    if (this.#channels.get(topic) === channel) this.#channels.delete(topic);
  }

  /** One frame at a time and in order; while one is worked on, the client's next ones wait in its own buffers. */
  #receive(data, isBinary) {
    this.#idle.refresh();
    this.#waiting += 1;
    this.#socket.pause();
    this.#queue = this.#queue.then(async () => {
      await this.#handleFrame(data, isBinary);
      this.#waiting -= 1;
      if (this.#waiting === 0) this.#socket.resume();
    });
  }

  async #handleFrame(data, isBinary) {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    try {
      await this.#handle(this.#protocol.decode(data, isBinary));
    } catch (error) {
      if (error instanceof FrameError) return this.#socket.close(CLOSE_INVALID, error.message);
      log("error", "realtime_unexpected", { error: error.name, code: error.code, stack: framesOf(error) });
      this.#socket.close(CLOSE_INTERNAL);
    }
  }

  async #handle(message) {
    const { topic, event } = message;
    if (topic === "phoenix" && event === "heartbeat") return this.#reply(message, "ok", {});
    if (event === "phx_join") return this.#join(message);
    const channel = this.#channels.get(topic);
    if (event === "phx_leave") {
      this.#reply(message, "ok", {});
      channel?.close();
      this.#channels.delete(topic);
    } else if (channel) {
      await channel.handle(message);
    } else {
      this.#reply(message, "error", { reason: "unmatched topic" });
    }
  }

  async #join(message) {
    try {
      const channel = this.#newChannel(message);
      const { access_token: token } = message.payload;
      await channel.open(typeof token === "string" && !token.startsWith("sb_") ? token : this.#keyToken);
      if (this.#socket.readyState !== this.#socket.OPEN) return channel.stop();
      this.#channels.set(message.topic, channel);
      this.#reply(message, "ok", { postgres_changes: [] });
      if (isTrue(message.payload.config?.presence?.enabled)) channel.push("presence_state", {});
      log("info", "realtime_joined", { private: channel.isPrivate, channels: this.#channels.size });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      log("info", "realtime_join_refused", { code: error.code });
      this.#reply(message, "error", { reason: error.reason });
    }
  }

  #newChannel({ topic, joinRef, payload: { config = {} } }) {
    if (!topic.startsWith(PREFIX)) throw new Unmatched();
    if (topic === PREFIX) throw new Refusal("TopicNameRequired", "You must provide a topic name");
    if (config?.postgres_changes?.length > 0) {
      throw new Refusal("PostgresChangesNotSupported", "The local stack has broadcasts only; use realtime.send()");
    }
    this.#channels.get(topic)?.close(); // joined anew: the client has lost track of the first
    this.#channels.delete(topic);
    if (this.#channels.size >= LIMITS.channelsPerSocket) {
      throw new Refusal("ChannelRateLimitReached", "Too many channels");
    }
    return new Channel({
      connection: this,
      joinRef,
      topic: topic.slice(PREFIX.length),
      isPrivate: isTrue(config?.private),
      sendsToSelf: isTrue(config?.broadcast?.self),
      acknowledges: isTrue(config?.broadcast?.ack),
      services: this.#services,
    });
  }

  #reply({ joinRef, ref, topic }, status, response) {
    this.send({ joinRef, ref, topic, event: "phx_reply", payload: { status, response } });
  }

  #ended() {
    clearTimeout(this.#idle);
    for (const channel of this.#channels.values()) channel.stop();
    this.#channels.clear();
  }
}

class Unmatched extends Refusal {
  get reason() {
    return "unmatched topic";
  }
}
