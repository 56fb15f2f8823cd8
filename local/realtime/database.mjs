// What Realtime asks of the database: which topics the policies let a caller read, and which broadcasts were sent.
//
// The login is PostgREST's (authenticator): it can become anon, authenticated or service_role, and nothing more.

import { randomUUID } from "node:crypto";

import postgres from "postgres";

import { log } from "../gateway/logs.mjs";
import { Refusal } from "./protocol.mjs";

const DATABASE_GONE = /^(08|53|57)/; // classes of SQLSTATE: connection, resources, operator intervention
// A row carries the time at which its transaction began and appears when it ends: look back further than that takes.
const LONGEST_TRANSACTION_MS = 60_000;
const REMEMBERED = 10_000;
const PRUNE_MS = 60 * 60_000;

class Rollback extends Error {}

/**
 * canRead(topic, claims) → boolean, which throws a Refusal while the database cannot answer.
 * follow(deliver): every committed broadcast as { topic, isPrivate, payload }, once and in the order of the commits;
 * it outlasts restarts of the database, and what was sent meanwhile follows. close().
 */
export function openDatabase(databaseUrl) {
  const sql = postgres(databaseUrl, {
    max: 4,
    connect_timeout: 3,
    backoff: /** @type {any} */ (0.1), // seconds; the default grows to 20, which would outlast a restart
    fetch_types: false,
    onnotice: () => log("info", "realtime_database_notice"),
    connection: { application_name: "fersk realtime" },
  });

  /** Become the service, which reads and writes messages whatever the policies say. */
  async function asService(query) {
    return sql.begin(async (tx) => {
      await tx`set local role service_role`;
      return query(tx);
    });
  }

  /** Let the policies decide: write a message as the service, look for it as the caller, and undo both. */
  async function canRead(topic, claims) {
    const id = randomUUID();
    let isVisible = false;
    try {
      await asService(async (tx) => {
        await tx`insert into realtime.messages (id, topic, extension) values (${id}, ${topic}, 'broadcast')`;
        await tx`
          select set_config('role', ${claims.role}, true), set_config('realtime.topic', ${topic}, true),
                 set_config('request.jwt.claims', ${JSON.stringify(claims)}, true)`;
        isVisible = (await tx`select from realtime.messages where id = ${id}`).length === 1;
        throw new Rollback();
      });
    } catch (error) {
      if (error instanceof Rollback) return isVisible;
      log("error", "realtime_policy_failed", { code: error.code ?? error.name });
      // A policy that fails by itself allows nothing.
      if (!(error instanceof postgres.PostgresError) || DATABASE_GONE.test(error.code)) {
        throw new Refusal("UnableToConnectToProject", "Realtime was unable to connect to the project database");
      }
    }
    return false;
  }

  function follow(deliver) {
    const delivered = new Set();
    let heardAt = 0; // nobody can have missed anything before the first connection
    let work = Promise.resolve();

    function inOrder(step) {
      const tell = (error) => log("warning", "realtime_not_read", { code: error.code ?? error.name });
      work = work.then(() => asService(step)).catch(tell);
    }

    const read = (which) => async (tx) => {
      const rows = await tx`
        select id, topic, private, event, payload from realtime.messages
        where extension = 'broadcast' and ${which} order by inserted_at`;
      for (const { id, topic, private: isPrivate, event, payload } of rows) {
        if (delivered.has(id)) continue;
        if (delivered.size >= REMEMBERED) delivered.delete(delivered.values().next().value);
        delivered.add(id);
        deliver({ topic, isPrivate, payload: { type: "broadcast", event, payload, meta: { id } } });
      }
      heardAt = Date.now();
    };
    const prune = (tx) => tx`select realtime.prune_messages()`;

    function catchUp() {
      log("info", "realtime_listening");
      const seconds = heardAt && (Date.now() - heardAt + LONGEST_TRANSACTION_MS) / 1000;
      inOrder(read(sql`inserted_at >= localtimestamp - make_interval(secs => ${seconds})`));
      inOrder(prune);
    }

    // The library listens again by itself whenever the connection was lost.
    sql.listen("realtime:messages", (id) => inOrder(read(sql`id = ${id}`)), catchUp).catch(() => {});
    setInterval(() => inOrder(prune), PRUNE_MS).unref();
  }

  return { canRead, follow, close: () => sql.end({ timeout: 1 }) };
}
