// One WebSocket: frames in and out, heartbeats, and the channels that are joined over it.

import { framesOf, log } from "../gateway/logs.mjs";
import { decode, encode, FrameError, Refusal } from "./protocol.mjs";

const PREFIX = "realtime:";
const CLOSE_INVALID = 1007;
const CLOSE_INTERNAL = 1011;
const UNSENT_BYTES = 4 * 2 ** 20;
const IDLE_MS = 60_000; // clients send a heartbeat every 25 s
const EXPIRY_MS = 1_000;
// The platform asks the policies at a join and for each new token. Here they are asked again all the time, so that a
// member who is deactivated hears nothing more within seconds.
const RECHECK_MS = 3_000;

const isTrue = (value) => value === true || value === "true";
const isToken = (value) => typeof value === "string" && !value.startsWith("sb_");

export class Connection {
  #socket;
  #vsn;
  #keyToken;
  #services;
  /** By topic, with its prefix: { joinRef, topic, isPrivate, token, claims, exp }. */
  #channels = new Map();
  #queue = Promise.resolve();
  #idle;

  /**
   * keyToken : the token of the API key's role, for joins that bring none of their own.
   * services : { verify(token) → claims, canRead(topic, claims) → boolean }; both throw a Refusal.
   */
  constructor({ socket, vsn, keyToken, services }) {
    this.#socket = socket;
    this.#vsn = vsn;
    this.#keyToken = keyToken;
    this.#services = services;
    this.#idle = setTimeout(() => socket.terminate(), IDLE_MS).unref();
    socket.on("message", (data, isBinary) => {
      this.#idle.refresh();
      this.#queue = this.#queue.then(() => this.#receive(data, isBinary)); // one at a time and in order
    });
    socket.on("ping", () => this.#idle.refresh());
    const expiry = setInterval(() => this.#endExpired(), EXPIRY_MS).unref();
    this.#recheckLater();
    socket.on("close", () => {
      clearTimeout(this.#idle);
      clearInterval(expiry);
    });
    socket.on("error", (error) => log("info", "realtime_socket_error", { code: error.code }));
  }

  /** Hand a broadcast to the channel on its topic, if there is one: a private and a public one of a name are two. */
  deliver({ topic, isPrivate, payload }) {
    const channel = this.#channels.get(PREFIX + topic);
    if (channel?.isPrivate === isPrivate) this.#push(channel, "broadcast", payload);
  }

  async #receive(data, isBinary) {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    try {
      // Only broadcasts come as bytes.
      if (isBinary) log("warning", "realtime_broadcast_refused");
      else await this.#handle(decode(data.toString(), this.#vsn));
    } catch (error) {
      if (error instanceof FrameError) return this.#socket.close(CLOSE_INVALID, error.message);
      log("error", "realtime_unexpected", { error: error.name, code: error.code, stack: framesOf(error) });
      this.#socket.close(CLOSE_INTERNAL);
    }
  }

  async #handle(message) {
    const { topic, event, payload } = message;
    const channel = this.#channels.get(topic);
    const refuse = (reason) => this.#reply(message, "error", { reason });
    if (topic === "phoenix" && event === "heartbeat") return this.#reply(message, "ok", {});
    if (event === "phx_join") return this.#join(message);
    if (event === "phx_leave") {
      this.#reply(message, "ok", {});
      return channel && this.#close(channel);
    }
    if (!channel) return refuse("unmatched topic");
    if (event === "access_token") return this.#renew(channel, payload.access_token);
    if (event === "presence") return refuse("PresenceNotSupported: Presence is not in the local stack");
    // On Supabase, too, who may not send gets no answer; and no policy lets a client send.
    if (event === "broadcast") return log("warning", "realtime_broadcast_refused");
    refuse("unmatched event");
  }

  async #join(message) {
    const { joinRef, payload } = message;
    try {
      const topic = this.#admissibleTopic(message);
      const isPrivate = isTrue(payload.config?.private);
      const channel = { joinRef, topic, isPrivate };
      await this.#admit(channel, isToken(payload.access_token) ? payload.access_token : this.#keyToken);
      this.#channels.set(message.topic, channel);
      this.#reply(message, "ok", { postgres_changes: [] });
      if (isTrue(payload.config?.presence?.enabled)) this.#push(channel, "presence_state", {});
      log("info", "realtime_joined", { private: isPrivate, channels: this.#channels.size });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      log("info", "realtime_join_refused", { code: error.code });
      this.#reply(message, "error", { reason: error.reason });
    }
  }

  /** The name of the topic to join, or a Refusal. A channel that is on it already makes way. */
  #admissibleTopic({ topic, payload: { config } }) {
    if (!topic.startsWith(PREFIX)) throw new Refusal(null, "unmatched topic");
    if (topic === PREFIX) throw new Refusal("TopicNameRequired", "You must provide a topic name");
    if (config?.postgres_changes?.length > 0) {
      throw new Refusal("PostgresChangesNotSupported", "The local stack has broadcasts only; use realtime.send()");
    }
    const first = this.#channels.get(topic);
    if (first) this.#close(first); // joined anew: the client has lost track of it
    return topic.slice(PREFIX.length);
  }

  /** Let a channel stay as long as the token lasts, or throw a Refusal. */
  async #admit(channel, token) {
    const claims = await this.#services.verify(token);
    if (channel.isPrivate && !(await this.#services.canRead(channel.topic, claims))) {
      const message = `You do not have permissions to read from this Channel topic: ${channel.topic}`;
      throw new Refusal("Unauthorized", message);
    }
    Object.assign(channel, { token, claims, exp: claims.exp });
  }

  async #renew(channel, token) {
    // An API key in place of a token is what a client without a session repeats: nothing new.
    if (!isToken(token) || token === channel.token) return;
    try {
      await this.#admit(channel, token);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.#shutDown(channel, error.code, error.message);
    }
  }

  #endExpired() {
    const now = Math.floor(Date.now() / 1000);
    for (const channel of this.#channels.values()) {
      const message = `Token has expired ${now - channel.exp} seconds ago`;
      if (channel.exp <= now) this.#shutDown(channel, "InvalidJWTToken", message);
    }
  }

  #recheckLater() {
    setTimeout(async () => {
      if (this.#socket.readyState !== this.#socket.OPEN) return;
      await this.#endForbidden();
      this.#recheckLater();
    }, RECHECK_MS).unref();
  }

  /** End the private channels that the policies no longer let their caller read. */
  async #endForbidden() {
    for (const channel of this.#channels.values()) {
      if (!channel.isPrivate) continue;
      const { topic, token, claims } = channel;
      // What cannot be answered now is asked again: a restart of the database ends no channel.
      const mayRead = await this.#services.canRead(topic, claims).catch(() => true);
      // It may have left meanwhile, or have been admitted anew.
      const isSame = this.#channels.get(PREFIX + topic) === channel && channel.token === token;
      const message = `You no longer have permission to read from this Channel topic: ${topic}`;
      if (!mayRead && isSame) this.#shutDown(channel, "Unauthorized", message);
    }
  }

  #shutDown(channel, code, message) {
    log("info", "realtime_channel_shut_down", { code });
    this.#push(channel, "system", { extension: "system", status: "error", message, channel: channel.topic });
    this.#close(channel);
  }

  /** Take the client off the topic and say so. */
  #close(channel) {
    this.#channels.delete(PREFIX + channel.topic);
    this.#push(channel, "phx_close", {}, channel.joinRef);
  }

  #push({ joinRef, topic }, event, payload, ref = null) {
    this.#send({ joinRef, ref, topic: PREFIX + topic, event, payload });
  }

  #reply({ joinRef, ref, topic }, status, response) {
    this.#send({ joinRef, ref, topic, event: "phx_reply", payload: { status, response } });
  }

  /** Send a message; a client that no longer reads is cut off, and re-reads after it has reconnected. */
  #send(message) {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    if (this.#socket.bufferedAmount > UNSENT_BYTES) {
      log("warning", "realtime_client_too_slow", { unsent_bytes: this.#socket.bufferedAmount });
      return this.#socket.terminate();
    }
    this.#socket.send(encode(message, this.#vsn));
  }
}
