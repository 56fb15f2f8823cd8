// What the server refuses, in words: by what it says, else by its code; else its own words stand behind ours.

import { texts } from "./texts.mjs";

/** @type {[RegExp, keyof typeof texts.errors][]} */
const MESSAGES = [
  [/would have no org admin/, "lastAdmin"],
  [/assigned to at most (\d+) chapters/, "mostChapters"],
  [/the one who prepared|somebody else/i, "otherPerson"],
  [/activities have changed|not fresh|The saved figures/i, "changedSince"],
  [/24 hours|1440/, "fullDay"],
  [/yet to come|not taken place|future/i, "yetToCome"],
  [/chapter was closed by then/, "closedThen"],
  [/peer mentor is not active in the chapter/, "notActiveThere"],
  [/^nothing was imported/, "notImported"],
  [/is locked/i, "locked"],
];
/** @type {[RegExp, keyof typeof texts.errors][]} */
const CODES = [
  [/^invalid_credentials$/, "wrongPassword"],
  [/^over_request_rate_limit$|^rate_limited$|^429$/, "tooMany"],
  [/^feature_disabled$|^PT423$/, "switchedOff"],
  [/^42501$|^forbidden$/, "notAllowed"],
  [/^23505$/, "alreadyThere"],
  [/^23503$/, "stillUsed"],
];

/** @type {(error: any) => string} */
export function ofError(error) {
  if (error.status === 0 || error.name === "AuthRetryableFetchError") return texts.errors.unreachable;
  for (const [said, patterns] of /** @type {[string, typeof CODES][]} */ ([
    [error.message, MESSAGES],
    [String(error.code || error.status), CODES],
  ])) {
    for (const [pattern, key] of patterns) {
      const found = said.match(pattern);
      if (!found) continue;
      const text = texts.errors[key];
      return typeof text === "function" ? text(found[1]) : text;
    }
  }
  return texts.errors.failed(error.message);
}
