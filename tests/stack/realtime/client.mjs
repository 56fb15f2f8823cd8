// An unmodified @supabase/realtime-js client on one private channel; commands on stdin, events on stdout, as JSON lines.

import readline from "node:readline";

import { RealtimeClient } from "@supabase/supabase-js"; // re-exported as it is

const { URL: url = "", KEY: key, TOKEN: token, TOPIC: topic } = process.env;
const report = (event) => process.stdout.write(`${JSON.stringify(event)}\n`);

const client = new RealtimeClient(`${url.replace(/^http/, "ws")}/realtime/v1`, { params: { apikey: key } });
await client.setAuth(token);

function join(name, reportState) {
  return client
    .channel(name, { config: { private: true } })
    .on("broadcast", { event: "*" }, ({ payload }) => report({ heard: payload.name }))
    .subscribe(reportState);
}

join(topic, (state) => report({ state }));

const commands = {
  async renew({ token: renewed }) {
    await client.setAuth(renewed);
    report({ did: "renew" });
  },
  join({ topic: other }) {
    const channel = join(other, (state, error) => {
      report({ state, error: error?.message });
      if (state === "CHANNEL_ERROR") channel.unsubscribe(); // it would try again for ever
    });
  },
  async send({ name }) {
    await client.getChannels()[0].send({ type: "broadcast", event: "note", payload: { name } });
    report({ did: "send" });
  },
  async leave() {
    await client.removeAllChannels();
    process.exit();
  },
};

for await (const text of readline.createInterface({ input: process.stdin })) {
  const { do: name, ...details } = JSON.parse(text);
  await commands[name](details);
}
