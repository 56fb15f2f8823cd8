// What the three jobs have in common: settings, clients, answers in Fersk's form, a line of log for each request.

import { createClient } from "@supabase/supabase-js";

const CORS = { "access-control-allow-origin": "*", "access-control-expose-headers": "retry-after, x-request-id" };
const STATUS = { bad_request: 400, unauthorized: 401, not_found: 404, method_not_allowed: 405, internal: 500 };
const OPTIONS = { auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false } };

export const setting = (name) => {
  const value = Deno.env.get(name);
  if (!value) throw new Error(`${name} is missing`);
  return value;
};

export const service = () => createClient(setting("SUPABASE_URL"), setting("SUPABASE_SECRET_KEY"), OPTIONS);

export const asUser = (authorization) =>
  createClient(setting("SUPABASE_URL"), setting("SUPABASE_PUBLISHABLE_KEY"), {
    ...OPTIONS,
    global: { headers: { Authorization: authorization } },
  });

/** A refusal: its code is the answer. */
export class Refusal extends Error {}

/** What SQL answered, read by `schema`. */
export async function call(client, name, parameters, schema) {
  const { data, error } = await client.rpc(name, parameters);
  if (error) throw error;
  return schema.parse(data);
}

/** Serve `handler(request)`, which gives the data of the answer or throws. */
export function serve(name, methods, handler) {
  Deno.serve({ hostname: "127.0.0.1", port: Number(setting("PORT")), onListen: () => {} }, async (request) => {
    const started = performance.now();
    const requestId = request.headers.get("x-request-id") ?? crypto.randomUUID().replaceAll("-", "");
    let status = 200;
    let outcome = "ok";
    let body;
    try {
      if (new URL(request.url).pathname !== "/") throw new Refusal("not_found");
      if (!methods.includes(request.method)) throw new Refusal("method_not_allowed");
      body = { data: await handler(request) };
    } catch (error) {
      outcome = error instanceof Refusal ? error.message : "internal";
      status = STATUS[outcome];
      body = { error: { code: outcome, message: outcome, request_id: requestId } };
    }
    const line = { ts: new Date().toISOString(), severity: "INFO", event: "request", function: name };
    const duration_ms = Math.round((performance.now() - started) * 10) / 10;
    console.log(
      JSON.stringify({ ...line, method: request.method, request_id: requestId, status, outcome, duration_ms }),
    );
    const headers = {
      ...CORS,
      "cache-control": "no-store",
      "content-type": "application/json",
      "x-request-id": requestId,
    };
    return new Response(JSON.stringify(body), { status, headers });
  });
}
