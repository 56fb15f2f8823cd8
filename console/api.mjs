// The one way to the server: tables and RPCs through supabase-js, functions by fetch, lists read to their end.

/** What the server refused, or that it was not reached (status 0). */
export class ApiError extends Error {
  /**
   * @param {number} status
   * @param {string} code
   * @param {string} message
   */
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

const PAGE = 1000; // what the API gives at most

/** @type {{ supabase_url?: string, publishable_key: string }} */
const config = await (await fetch("config.json")).json();
const url = config.supabase_url || location.origin;
let left = new AbortController();
const isReading = (address, method) => /\/rest\/v1\/(?!rpc\/)/.test(address) && method === "GET";

/** What the page before asked for is not waited for. Gives whether the next one is still open. @type {() => () => boolean} */
export function leavePage() {
  left.abort();
  const next = new AbortController();
  left = next;
  return () => !next.signal.aborted;
}

export const client = /** @type {any} */ (window).supabase.createClient(url, config.publishable_key, {
  auth: { persistSession: true, autoRefreshToken: true, storageKey: "fersk" },
  global: {
    fetch: (address, given) =>
      fetch(address, isReading(String(address), given?.method) ? { ...given, signal: left.signal } : given),
  },
});

/** @type {(request: PromiseLike<any>) => Promise<any>} */
export async function ask(request) {
  const { data, error, status, count } = await request;
  if (!error) return count === null || count === undefined ? data : { data, count };
  // supabase-js tells a server that is gone by a message alone, and PostgREST a database that went by no code
  const reached = status > 0 && error.code !== "" && !(status === 503 && !error.code);
  throw new ApiError(reached ? status : 0, error.code ?? "", error.message);
}

/** @type {(name: string, parameters?: object) => Promise<any>} */
export const rpc = (name, parameters) => ask(client.rpc(name, parameters));

/**
 * All rows of a list: `build` makes the request anew for each page.
 * @type {(build: () => any) => Promise<any[]>}
 */
export async function all(build) {
  const rows = [];
  for (;;) {
    const page = await ask(build().range(rows.length, rows.length + PAGE - 1));
    rows.push(...page);
    if (page.length < PAGE) return rows;
  }
}

/** @type {(path: string, method?: string) => Promise<Response>} */
async function send(path, method = "GET") {
  const { data } = await client.auth.getSession();
  const headers = { apikey: config.publishable_key, authorization: `Bearer ${data.session?.access_token}` };
  let response;
  try {
    response = await fetch(`${url}/functions/v1/${path}`, {
      method,
      headers,
      ...(method === "GET" && { signal: left.signal }),
    });
  } catch (error) {
    throw new ApiError(0, "", error.message);
  }
  if (response.ok) return response;
  const { error } = await response.json().catch(() => ({ error: null }));
  throw new ApiError(error ? response.status : 0, error?.code ?? "", error?.message ?? response.statusText);
}

/** What a function answers. @type {(path: string, method?: string) => Promise<any>} */
export const call = async (path, method) => (await (await send(path, method)).json()).data;

/** Saves what a function answers as a file, under the name that it gives. @type {(path: string) => Promise<string>} */
export async function download(path) {
  const response = await send(path);
  const named = /filename="([^"]+)"/.exec(response.headers.get("content-disposition") ?? "");
  const name = named?.[1] ?? `${path.split("?")[0]}.json`;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await response.blob());
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  return name;
}
