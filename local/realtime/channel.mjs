// One client on one topic: allowed in by a token, for as long as the token lasts and the policies let it read.

import { log } from "../gateway/logs.mjs";
import { Refusal } from "./refusal.mjs";

const RECHECK_TOKEN_MS = 5 * 60_000;
// The platform asks the policies at a join and for each new token. Here they are asked again all the time, so that a
// member who is deactivated hears nothing more within seconds.
const RECHECK_POLICIES_MS = 3_000;

/**
 * connection : the socket it lives on: send(message), and `closed`, called with the channel when it ends by itself.
 * joinRef    : the client's name for this join; goes into every message of the channel.
 * topic      : without the prefix "realtime:".
 * services   : { verify, authorizer, topics }.
 */
export class Channel {
  #connection;
  #joinRef;
  #options;
  #services;
  #token;
  #claims;
  #canWrite = null; // null: not asked yet
  #recheck;
  #isStopped = false;

  constructor({ connection, joinRef, topic, isPrivate, sendsToSelf, acknowledges, services }) {
    this.#connection = connection;
    this.#joinRef = joinRef;
    this.#options = { sendsToSelf, acknowledges };
    this.#services = services;
    this.topic = topic;
    this.isPrivate = isPrivate;
  }

  /** Let the client in, or throw a Refusal. It hears what is sent from here on. */
  async open(token) {
    await this.#admit(token);
    this.#services.topics.add(this);
  }

  /** Take the client off the topic and say so. */
  close() {
    this.stop();
    this.#send("phx_close", {}, this.#joinRef);
  }

  /** Take the client off the topic; its socket is gone or going. */
  stop() {
    this.#isStopped = true;
    clearTimeout(this.#recheck);
    this.#services.topics.remove(this);
  }

  push(event, payload) {
    this.#send(event, payload, null);
  }

  /** Handle what the client sends on the joined topic. */
  async handle({ event, payload, ref }) {
    if (event === "broadcast") return this.#broadcast(payload, ref);
    if (event === "access_token") return this.#renew(payload.access_token);
    if (event === "presence") {
      return this.reply(ref, "error", { reason: "PresenceNotSupported: Presence is not in the local stack" });
    }
    this.reply(ref, "error", { reason: "unmatched event" });
  }

  reply(ref, status, response) {
    if (ref !== null) this.#send("phx_reply", { status, response }, ref);
  }

  async #admit(token) {
    const claims = await this.#services.verify(token);
    if (this.isPrivate && !(await this.#services.authorizer.canRead(this.topic, claims))) {
      const message = `You do not have permissions to read from this Channel topic: ${this.topic}`;
      throw new Refusal("Unauthorized", message);
    }
    this.#token = token;
    this.#claims = claims;
    this.#canWrite = null;
    this.#recheckLater();
  }

  /** See that the token has not run out and that the policies still let it read, now and then and at its end. */
  #recheckLater() {
    clearTimeout(this.#recheck);
    if (this.#isStopped) return;
    const lifetimeMs = this.#claims.exp * 1000 - Date.now();
    const recheckMs = this.isPrivate ? RECHECK_POLICIES_MS : RECHECK_TOKEN_MS;
    this.#recheck = setTimeout(
      () => this.#orShutDown(async () => {
        const token = this.#token;
        await this.#services.verify(token);
        const mayRead = !this.isPrivate || (await this.#mayStillRead());
        if (this.#isStopped || this.#token !== token) return; // left, or a new token was asked about meanwhile
        if (!mayRead) {
          const message = `You no longer have permission to read from this Channel topic: ${this.topic}`;
          throw new Refusal("Unauthorized", message);
        }
        this.#recheckLater();
      }),
      Math.max(0, Math.min(recheckMs, lifetimeMs)),
    ).unref();
  }

  /** What cannot be answered now is asked again: a restart of the database ends no channel. */
  async #mayStillRead() {
    try {
      return await this.#services.authorizer.canRead(this.topic, this.#claims);
    } catch (error) {
      if (error instanceof Refusal) return true;
      throw error;
    }
  }

  async #renew(token) {
    // An API key in place of a token is what a client without a session repeats: nothing new.
    if (typeof token !== "string" || token.startsWith("sb_") || token === this.#token) return;
    await this.#orShutDown(() => this.#admit(token));
  }

  async #orShutDown(step) {
    try {
      await step();
    } catch (error) {
      const isRefusal = error instanceof Refusal;
      log(isRefusal ? "info" : "error", "realtime_channel_shut_down", { code: error.code, error: error.name });
      const message = isRefusal ? error.message : "Unknown Error on Channel";
      this.push("system", { extension: "system", status: "error", message, channel: this.topic });
      this.close();
      this.#connection.closed(this);
    }
  }

  async #broadcast(payload, ref) {
    if (typeof payload.event !== "string") {
      return this.reply(ref, "error", { reason: "InvalidBroadcastPayload: A broadcast names its event" });
    }
    if (this.isPrivate) {
      try {
        this.#canWrite ??= await this.#services.authorizer.canWrite(this.topic, this.#claims);
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        return; // logged where it happened; as on Supabase, there is no answer to an unsent broadcast
      }
      if (!this.#canWrite) {
        log("info", "realtime_broadcast_refused", { code: "Unauthorized" });
        return;
      }
    }
    const { topic, isPrivate } = this;
    this.#services.topics.publish({ topic, isPrivate, payload, sender: this.#options.sendsToSelf ? null : this });
    if (this.#options.acknowledges) this.reply(ref, "ok", {});
  }

  #send(event, payload, ref) {
    this.#connection.send({ joinRef: this.#joinRef, ref, topic: `realtime:${this.topic}`, event, payload });
  }
}
