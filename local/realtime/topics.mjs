// Who is on which topic. A private and a public topic of the same name are two topics.

const key = (topic, isPrivate) => `${isPrivate ? "private" : "public"}:${topic}`;

/** Channels by topic; a channel has { topic, isPrivate, push(event, payload) }. */
export class Topics {
  #channels = new Map();

  add(channel) {
    const name = key(channel.topic, channel.isPrivate);
    this.#channels.set(name, (this.#channels.get(name) ?? new Set()).add(channel));
  }

  remove(channel) {
    const name = key(channel.topic, channel.isPrivate);
    const others = this.#channels.get(name);
    if (others?.delete(channel) && others.size === 0) this.#channels.delete(name);
  }

  /** Hand a broadcast to every channel on the topic but `sender`. */
  publish({ topic, isPrivate, payload, sender = null }) {
    for (const channel of this.#channels.get(key(topic, isPrivate)) ?? []) {
      if (channel !== sender) channel.push("broadcast", payload);
    }
  }
}
