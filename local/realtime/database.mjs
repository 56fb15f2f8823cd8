// What Realtime asks of the database: which topics the policies let a caller read, and which broadcasts were sent.
//
// The login is PostgREST's (authenticator): it can become anon, authenticated or service_role, and nothing more.

import { randomUUID } from "node:crypto";

import postgres from "postgres";

import { log } from "../gateway/logs.mjs";
import { Refusal } from "./protocol.mjs";

const QUERY_CANCELED = "57014";
const DATABASE_GONE = ["08", "53", "57"]; // classes of SQLSTATE: connection, resources, operator intervention
// A row carries the time at which its transaction began and appears when it ends: look back further than that takes.
const LONGEST_TRANSACTION_MS = 60_000;
const REMEMBERED = 10_000;
const PRUNE_MS = 60 * 60_000;

class Rollback extends Error {}

/** What a failed question means to the client; undefined when a policy itself failed, which allows nothing. */
function explain(error) {
  const code = error instanceof postgres.PostgresError ? error.code : "08";
  if (code === QUERY_CANCELED) return new Refusal("QueryCanceled", "Query was cancelled, please try again");
  if (!DATABASE_GONE.includes(code.slice(0, 2))) return undefined;
  return new Refusal("UnableToConnectToProject", "Realtime was unable to connect to the project database");
}

/**
 * canRead(topic, claims) → boolean, which throws a Refusal while the database cannot answer.
 * follow(deliver): every committed broadcast as { topic, isPrivate, payload }, once and in the order of the commits;
 * it outlasts restarts of the database, and what was sent meanwhile follows. close().
 */
export function openDatabase(databaseUrl) {
  const sql = postgres(databaseUrl, {
    max: 4,
    connect_timeout: 3,
    backoff: /** @type {any} */ (0.1), // seconds; the default grows to 20, which would outlast a restart of the database
    fetch_types: false,
    onnotice: () => log("info", "realtime_database_notice"),
    connection: { application_name: "fersk realtime" },
  });

  /** Let the policies decide: write a message as the service, look for it as the caller, and undo both. */
  async function canRead(topic, claims) {
    let isVisible = false;
    try {
      await sql.begin(async (tx) => {
        const id = randomUUID();
        await tx`set local role service_role`;
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
      const refusal = explain(error);
      if (refusal) throw refusal;
    }
    return false;
  }

  /** Read as the service, which sees messages whatever the policies say. */
  const asService = (query) =>
    sql.begin(async (tx) => {
      await tx`set local role service_role`;
      return query(tx);
    });

  function follow(deliver) {
    const delivered = new Set();
    let heardAt = 0; // 0: nobody can have missed anything before the first connection
    let work = Promise.resolve();
    const inOrder = (step) => {
      work = work.then(step).catch((error) => log("warning", "realtime_not_read", { code: error.code ?? error.name }));
    };

    async function read(which) {
      const rows = await asService(
        (tx) => tx`
        select id, topic, private, event, payload from realtime.messages
        where extension = 'broadcast' and ${which(tx)} order by inserted_at`,
      );
      for (const { id, topic, private: isPrivate, event, payload } of rows) {
        if (delivered.has(id)) continue;
        delivered.add(id);
        deliver({ topic, isPrivate, payload: { type: "broadcast", event, payload, meta: { id } } });
      }
      for (const id of delivered) {
        if (delivered.size <= REMEMBERED) break;
        delivered.delete(id);
      }
      heardAt = Date.now();
    }

    function catchUp() {
      log("info", "realtime_listening");
      const since = heardAt && (Date.now() - heardAt + LONGEST_TRANSACTION_MS) / 1000;
      inOrder(() => read((tx) => tx`inserted_at >= localtimestamp - make_interval(secs => ${since})`));
      inOrder(prune);
    }

    async function prune() {
      const [{ deleted }] = await asService((tx) => tx`select realtime.prune_messages() as deleted`);
      log("info", "realtime_pruned", { deleted: Number(deleted) });
    }

    // The library listens again by itself whenever the connection was lost.
    sql.listen("realtime:messages", (id) => inOrder(() => read((tx) => tx`id = ${id}`)), catchUp).catch(() => {});
    setInterval(() => inOrder(prune), PRUNE_MS).unref();
  }

  return { canRead, follow, close: () => sql.end({ timeout: 1 }) };
}
