// Who may listen to a private topic and who may send to it: what the policies on realtime.messages say, asked by trying.
//
// The login is PostgREST's (authenticator): it can become anon, authenticated or service_role, whatever a token says,
// and nothing more. Each question is a transaction that is rolled back.

import { randomUUID } from "node:crypto";

import postgres from "postgres";

import { log } from "../gateway/logs.mjs";
import { Refusal } from "./refusal.mjs";

const NOT_ALLOWED = "42501";
const QUERY_CANCELED = "57014";
const DATABASE_GONE = ["08", "53", "57"]; // classes of SQLSTATE: connection, resources, operator intervention

class Rollback extends Error {}

/** Become `role`, the caller of `claims`, for the rest of the transaction. */
const become = (transaction, topic, claims) => transaction`
  select set_config('role', ${claims.role}, true), set_config('realtime.topic', ${topic}, true),
         set_config('request.jwt.claims', ${JSON.stringify(claims)}, true)`;

/** What a failed question means to the client; undefined when a policy itself failed, which allows nothing. */
function explain(error) {
  const isFromServer = error instanceof postgres.PostgresError;
  if (isFromServer && error.code === QUERY_CANCELED) {
    return new Refusal("QueryCanceled", "Query was cancelled, please try again");
  }
  if (isFromServer && !DATABASE_GONE.includes(error.code.slice(0, 2))) return undefined;
  return new Refusal("UnableToConnectToProject", "Realtime was unable to connect to the project database");
}

/** canRead and canWrite (topic, claims) → boolean; both throw a Refusal while the database cannot answer. */
export function createAuthorizer(databaseUrl) {
  const pool = postgres(databaseUrl, {
    max: 4,
    connect_timeout: 3,
    backoff: 0.1, // seconds; the default grows to 20, which would outlast a restart of the database
    fetch_types: false,
    onnotice: () => log("info", "realtime_policy_notice"),
    connection: { application_name: "fersk realtime policies" },
  });

  async function ask(question) {
    let answer = false;
    try {
      await pool.begin(async (transaction) => {
        answer = await question(transaction);
        throw new Rollback();
      });
    } catch (error) {
      if (error instanceof Rollback) return answer;
      log("error", "realtime_policy_failed", { code: error.code ?? error.name });
      const refusal = explain(error);
      if (refusal) throw refusal;
    }
    return false;
  }

  const canRead = (topic, claims) => ask(async (transaction) => {
    const id = randomUUID();
    await transaction`set local role service_role`;
    await transaction`insert into realtime.messages (id, topic, extension) values (${id}, ${topic}, 'broadcast')`;
    await become(transaction, topic, claims);
    const visible = await transaction`select from realtime.messages where id = ${id}`;
    return visible.length === 1;
  });

  const canWrite = (topic, claims) => ask(async (transaction) => {
    await become(transaction, topic, claims);
    try {
      await transaction`insert into realtime.messages (topic, extension) values (${topic}, 'broadcast')`;
      return true;
    } catch (error) {
      if (error.code === NOT_ALLOWED) return false;
      throw error;
    }
  });

  return { canRead, canWrite, close: () => pool.end({ timeout: 1 }) };
}
