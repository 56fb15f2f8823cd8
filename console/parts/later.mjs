// What takes longer than the rest of its page: its place at once, itself when it has come.

import { actionButton, card, empty, h } from "../dom.mjs";
import { ofError } from "../refusals.mjs";
import { texts } from "../texts.mjs";

/** What was shown last: it stays while the page is read again. @type {Map<string, any>} */
const shown = new Map();

/** Begin anew, as on another page. */
export const forget = () => shown.clear();

/**
 * The rest of the page goes on without it: while it is computed, and when that has failed.
 * @param {string} title
 * @param {Promise<any>} promise
 * @param {(data: any) => any} show
 * @param {() => Promise<void>} again
 * @param {any} [progress] what is said meanwhile
 */
export function later(title, promise, show, again, progress = texts.computing) {
  const place = shown.get(title) ?? card(title, empty(progress));
  place.setAttribute("aria-busy", "true");
  promise.then(
    (data) => {
      shown.set(title, show(data));
      place.replaceWith(shown.get(title));
    },
    (error) =>
      place.replaceWith(
        card(
          title,
          h("p", { class: "error" }, ofError(error)),
          actionButton(texts.tryAgain, () => again()),
        ),
      ),
  );
  return place;
}
