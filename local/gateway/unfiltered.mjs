// An UPDATE or DELETE of every row by mistake. Supabase preloads the extension safeupdate for PostgREST's sessions,
// which refuses it; the extension cannot be had here, so the gateway gives PostgREST's answer to that refusal.

const VERBS = { PATCH: "UPDATE", DELETE: "DELETE" };
const NOT_FILTERS = new Set(["select", "order", "limit", "offset", "columns", "on_conflict", "apikey"]);
const QUOTED = /"(?:[^"\\]|\\.)*"/g;
const TABLE = /^\/rest\/v1\/(?!rpc\/)[^/]+\/?$/;

/** Whether a parameter chooses rows of the table itself: `units.name` chooses among those embedded. */
function isFilter(name) {
  const path = name.replace(/^not\.(and|or)$/, "$1").replace(QUOTED, "");
  return !NOT_FILTERS.has(name) && !path.includes(".");
}

/** The body of PostgREST's answer to a PATCH or DELETE without a filter; null if it has one. */
export function refuseUnfiltered(method, path, query) {
  const verb = VERBS[method];
  if (!verb || !TABLE.test(path) || [...query.keys()].some(isFilter)) return null;
  return { code: "21000", details: null, hint: null, message: `${verb} requires a WHERE clause` };
}
