// Hearing of changes: the organisation's private channel, with reconnection; and a look now and then, whatever is heard.

import { client } from "./api.mjs";

const LOOK_EVERY_MS = 10_000;
const GATHER_MS = 150; // one reading for a burst of messages
const LONGEST_WAIT_MS = 30_000;

/**
 * `onChange` after a message, after a reconnection, and now and then; `onState` with "live" or "waiting".
 * @type {(organizationId: string, on: { change: () => void, state: (state: string) => void }) => () => void}
 */
export function follow(organizationId, on) {
  let channel = null;
  let attempts = 0;
  let stopped = false;
  let timer = 0;
  let gathering = 0;
  const changed = () => {
    gathering ||= window.setTimeout(() => {
      gathering = 0;
      on.change();
    }, GATHER_MS);
  };

  async function connect() {
    await client.realtime.setAuth();
    if (stopped) return;
    const mine = client.channel(`activities:org:${organizationId}`, { config: { private: true } });
    channel = mine;
    mine.on("broadcast", { event: "cache_invalidated" }, changed);
    mine.subscribe((status) => {
      if (stopped || mine !== channel) return;
      if (status === "SUBSCRIBED") {
        if (attempts > 0) changed(); // what was missed meanwhile
        attempts = 0;
        on.state("live");
      } else if (status !== "JOINING") {
        on.state("waiting");
        again();
      }
    });
  }

  function again() {
    if (timer) return;
    const wait = Math.min(1000 * 2 ** attempts++, LONGEST_WAIT_MS);
    timer = window.setTimeout(async () => {
      timer = 0;
      const old = channel;
      channel = null; // whose end is no news
      if (old) await client.removeChannel(old).catch(() => {});
      if (!stopped) await connect().catch(again);
    }, wait);
  }

  on.state("waiting");
  connect().catch(again);
  const looking = setInterval(() => document.visibilityState === "visible" && on.change(), LOOK_EVERY_MS);
  return () => {
    stopped = true;
    clearInterval(looking);
    clearTimeout(timer);
    clearTimeout(gathering);
    if (channel) client.removeChannel(channel).catch(() => {});
  };
}
