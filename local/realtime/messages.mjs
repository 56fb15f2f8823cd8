// Broadcasts that the database sends: told of by NOTIFY, read from realtime.messages, each handed on once.

import { setTimeout as sleep } from "node:timers/promises";

import postgres from "postgres";

import { log } from "../gateway/logs.mjs";

const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 3_200;
// A row carries the time at which its transaction began and appears when it ends: look back further than that takes.
const LONGEST_TRANSACTION_MS = 60_000;
const PRUNE_MS = 60 * 60_000;
const BATCH = 500;

/** Remembers for a while what was delivered, so that reading again after a lost connection repeats nothing. */
class Delivered {
  #times = new Map(); // id → when; a Map keeps the order of insertion

  /** Whether this id is new; it no longer is afterwards. */
  add(id) {
    const now = Date.now();
    for (const [old, time] of this.#times) {
      if (now - time < 2 * LONGEST_TRANSACTION_MS) break;
      this.#times.delete(old);
    }
    return !this.#times.has(id) && Boolean(this.#times.set(id, now));
  }
}

const broadcast = ({ id, topic, private: isPrivate, event, payload }) => ({
  topic, isPrivate, payload: { type: "broadcast", event, payload, meta: { id } },
});

const readRows = (connection, ids) => connection`
  select id, topic, private, event, payload from realtime.messages where id in ${connection(ids)}`;

const readIdsSince = (connection, seconds) => connection`
  select id from realtime.messages
  where extension = 'broadcast' and inserted_at >= localtimestamp - make_interval(secs => ${seconds})
  order by inserted_at`;

async function prune(connection) {
  const [{ deleted }] = await connection`select realtime.prune_messages() as deleted`;
  log("info", "realtime_pruned", { deleted: Number(deleted) });
}

/**
 * Hand every committed broadcast to `deliver({ topic, isPrivate, payload })`, in the order of the commits, until
 * close(). Outlasts restarts of the database: what was sent meanwhile follows as soon as it answers again.
 */
export function followMessages({ databaseUrl, deliver }) {
  const stopping = new AbortController();
  const delivered = new Delivered();
  let isListening = false;
  let lostAt = null; // null until the first connection: nobody can have missed anything before it

  /** Listen over one connection until it is lost (resolves) or something fails (rejects). */
  async function listenOnce() {
    const ids = [];
    let work = Promise.resolve();
    let connection = null;
    let pruning = null;

    async function drain() {
      while (ids.length > 0) {
        const batch = ids.splice(0, BATCH);
        const rows = new Map((await readRows(connection, batch)).map((row) => [row.id, row]));
        for (const id of batch) {
          if (rows.has(id) && delivered.add(id)) deliver(broadcast(rows.get(id)));
        }
      }
    }

    const ended = new Promise((resolve, reject) => {
      const enqueue = (step) => (work = work.then(step).catch(reject)); // one step at a time keeps the order
      stopping.signal.addEventListener("abort", resolve, { once: true });
      connection = postgres(databaseUrl, {
        max: 1,
        idle_timeout: null,
        max_lifetime: null, // a new connection would not listen
        connect_timeout: 3,
        fetch_types: false,
        onclose: resolve,
        onnotice: () => log("info", "realtime_database_notice"),
        onnotify: (_, id) => (ids.push(id), enqueue(drain)),
        connection: { application_name: "fersk realtime" },
      });
      enqueue(async () => {
        await connection`set role service_role`; // reads messages whatever the policies say
        await connection`listen "realtime:messages"`;
        log("info", "realtime_listening");
        if (lostAt !== null) {
          const seconds = (Date.now() - lostAt + LONGEST_TRANSACTION_MS) / 1000;
          ids.unshift(...(await readIdsSince(connection, seconds)).map(({ id }) => id));
        }
        await drain();
        isListening = true;
        await prune(connection);
      });
      pruning = setInterval(() => enqueue(() => prune(connection)), PRUNE_MS).unref();
    });
    try {
      await ended;
    } finally {
      clearInterval(pruning);
      await connection.end({ timeout: 0 });
    }
  }

  async function follow() {
    for (let retryMs = FIRST_RETRY_MS; !stopping.signal.aborted; retryMs = Math.min(2 * retryMs, LAST_RETRY_MS)) {
      try {
        await listenOnce();
      } catch (error) {
        log("warning", "realtime_database_unavailable", { code: error.code ?? error.name });
      }
      if (isListening) {
        isListening = false;
        lostAt = Date.now();
        retryMs = FIRST_RETRY_MS;
      }
      await sleep(retryMs, undefined, { signal: stopping.signal }).catch(() => {});
    }
  }

  const following = follow();
  return {
    async close() {
      stopping.abort();
      await following;
    },
  };
}
