// What Supabase Auth's database cannot store, refused before the library asks it: its failure would be our error.

const MAX_DEPTH = 100; // levels of user metadata; Postgres gives up at a few thousand
const MAX_TEXT = 255; // the columns' width; the library has its own limit for passwords
const TEXTS = ["email", "phone", "password", "refresh_token"];

const isStorable = (text) => text.isWellFormed() && !text.includes("\0");

/** Whether every text in a JSON value, names included, can be stored, and the value is not too deep. */
function isStorableJson(value) {
  const left = [[value, 0]];
  for (const [item, depth] of left) {
    if (typeof item === "string" && !isStorable(item)) return false;
    if (typeof item !== "object" || item === null) continue;
    if (depth === MAX_DEPTH || !Object.keys(item).every(isStorable)) return false;
    for (const inner of Object.values(item)) left.push([inner, depth + 1]);
  }
  return true;
}

/** Why a request's body is refused; null if it is not, or is no JSON, which the library says itself. */
export function inputProblem(body) {
  let value;
  try {
    value = JSON.parse(body);
  } catch {
    return null;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return "The body must be a JSON object";
  const wrong = TEXTS.find((name) => {
    const text = value[name] ?? "";
    return typeof text !== "string" || (name !== "password" && text.length > MAX_TEXT);
  });
  if (wrong) return `${wrong} must be a text of a sensible length`;
  return isStorableJson(value) ? null : "The body holds a character that cannot be stored, or is nested too deeply";
}
