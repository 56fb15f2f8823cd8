// The frame: who is signed in, which page is open, and what is said while the server is silent.

import { ask, client, leavePage } from "./api.mjs";
import { clock, h } from "./dom.mjs";
import { follow } from "./live.mjs";
import { bufdir } from "./pages/bufdir.mjs";
import { imports } from "./pages/import.mjs";
import { mine } from "./pages/mine.mjs";
import { overview } from "./pages/overview.mjs";
import { people } from "./pages/people.mjs";
import { register } from "./pages/register.mjs";
import { rules } from "./pages/rules.mjs";
import { settings } from "./pages/settings.mjs";
import { signInPage } from "./pages/sign-in.mjs";
import { units } from "./pages/units.mjs";
import { ofError } from "./refusals.mjs";
import { readMe, renew, signOut } from "./session.mjs";
import { other, otherName, switchLanguage, texts } from "./texts.mjs";

/**
 * A page: `load` reads what it shows, `render` shows it. One that is `live` is read again at every change; the others
 * have forms, and ask for it by `again`, with what to say then.
 * @typedef {{ me: any, parts: string[], isAgain: boolean, again: (said?: string) => Promise<void> }} Context
 * @typedef {{ live?: boolean, statistics?: boolean, load: (context: Context) => Promise<any>,
 *   render: (data: any, context: Context) => any }} Page
 */

/** @type {Record<string, Record<string, Page>>} */
const PAGES = {
  peer_mentor: { mine, register },
  coordinator: { overview, register, bufdir },
  org_admin: { overview, register, bufdir, people, units, rules, import: imports, settings },
};
const RETRY_MS = [1000, 2000, 4000, 8000, 15_000, 30_000];

const find = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));
/** @type {any} */
let me = null;
let stopFollowing = () => {};
let pulse = "waiting";
/** When what is shown was read. @type {Date | null} */
let readAt = null;
let silence = { attempts: 0, timer: 0 };
let reading = 0;
let opened = 0;

// ------------------------------------------------------------------ the frame

function showHeader() {
  const pages = me && !me.problem ? Object.keys(PAGES[me.role]) : [];
  const open = address()[0];
  find("top").replaceChildren(
    h(
      "div",
      null,
      h("a", { class: "brand", href: "#" }, texts.product, h("small", null, me?.organization?.name ?? texts.tagline)),
      pages.length > 0 &&
        h(
          "nav",
          { "aria-label": texts.nav.label },
          h(
            "ul",
            null,
            pages.map((name) =>
              h(
                "li",
                null,
                h("a", { href: `#${name}`, "aria-current": name === open ? "page" : null }, texts.nav[name]),
              ),
            ),
          ),
        ),
      h(
        "div",
        { class: "who" },
        me && h("span", { class: "pulse", id: "pulse", "data-state": pulse }, texts.pulse[pulse]),
        me && h("span", null, me.name),
        h(
          "button",
          { type: "button", class: "small", id: "language", lang: other, onclick: switchLanguage },
          otherName,
        ),
        me &&
          h(
            "button",
            { type: "button", class: "small", id: "sign-out", onclick: () => leave(texts.signIn.out) },
            texts.signIn.button_out,
          ),
      ),
    ),
  );
}

function showPulse(/** @type {string} */ state) {
  pulse = state;
  const shown = document.getElementById("pulse");
  if (!shown) return;
  shown.dataset.state = state;
  shown.textContent = texts.pulse[state];
}

function say(/** @type {string | null} */ kind, text = "") {
  const said = find("notice");
  if (said.textContent !== text) said.replaceChildren(...(kind ? [h("p", { "data-kind": kind }, text)] : []));
}

/** The page and its parts: `#overview/<unit>`; the first of one's pages where none is named. */
function address() {
  const parts = location.hash.slice(1).split("/").filter(Boolean).map(decodeURIComponent);
  const pages = me && !me.problem ? PAGES[me.role] : {};
  return parts[0] in pages ? parts : [Object.keys(pages)[0] ?? ""];
}

// ------------------------------------------------------------------ showing a page

/** Read the open page and show it. `isQuiet`: keep what is there until it has come. */
async function show(isQuiet = false) {
  if (!me || me.problem) return;
  const [name, ...parts] = address();
  const page = PAGES[me.role][name];
  const turn = ++reading;
  const opening = isQuiet ? opened : ++opened;
  // who has left a page is not shown another one anew: they may be writing there
  const context = {
    me,
    parts,
    isAgain: isQuiet,
    again: async (said = "") => {
      if (opening === opened) await again(said);
    },
  };
  if (!isQuiet) {
    leavePage();
    showHeader();
    find("main").setAttribute("aria-busy", "true");
    find("main").replaceChildren(h("p", { class: "empty" }, texts.loading));
    readAt = null;
  }
  try {
    [me.settings] = await ask(client.from("organization_settings").select("statistics_enabled,two_person_sign_off"));
    const isOff = page.statistics && !me.settings.statistics_enabled;
    const data = isOff ? null : await page.load(context);
    if (turn !== reading) return; // another page was opened meanwhile
    const shown = isOff
      ? h("p", { class: "note", "data-kind": "warn" }, texts.switchedOff)
      : page.render(data, context);
    keepFocus(() => find("main").replaceChildren(h("div", { class: "page", "data-page": name }, shown)));
    readAt = new Date();
    heard();
  } catch (error) {
    if (turn === reading) await failed(error);
  } finally {
    if (turn === reading) find("main").setAttribute("aria-busy", "false");
  }
}

async function again(/** @type {string} */ said) {
  await show(true);
  if (said && readAt && !silence.attempts) say("good", said);
}

/** Redraw without taking the field away in which somebody types. */
function keepFocus(/** @type {() => void} */ redraw) {
  const active = /** @type {any} */ (document.activeElement);
  const { id, selectionStart } = active ?? {};
  const opened = new Set([...document.querySelectorAll("details[open]")].map((each) => each.textContent?.slice(0, 20)));
  redraw();
  for (const each of document.querySelectorAll("details")) {
    if (opened.has(each.textContent?.slice(0, 20))) each.open = true;
  }
  const again = /** @type {any} */ (id ? document.getElementById(id) : null);
  again?.focus();
  if (again && selectionStart !== null && selectionStart !== undefined) {
    try {
      again.setSelectionRange(selectionStart, selectionStart);
    } catch {
      // a field that has no selection
    }
  }
}

/** @type {(error: any) => Promise<void>} */
async function failed(error) {
  if (error.status === 0 || error.status >= 502) return silent();
  if (error.status === 429) return busy(error);
  if (error.status === 401) {
    if (await renew().catch(() => false)) return show(true);
    return leave(texts.signIn.expired, "warn");
  }
  say("bad", ofError(error));
  if (!readAt) find("main").replaceChildren(h("p", { class: "error" }, ofError(error)));
}

/** The server is gone: what was shown stays, greyed, with its age; and it is tried again. */
function silent() {
  find("main").classList.toggle("is-old", true);
  showPulse("gone");
  const tell = () => {
    const age = readAt && texts.age((Date.now() - readAt.getTime()) / 1000);
    say("bad", readAt ? texts.gone(clock(readAt), age) : texts.goneEmpty);
  };
  tell();
  clearTimeout(silence.timer);
  const wait = RETRY_MS[Math.min(silence.attempts++, RETRY_MS.length - 1)];
  silence.timer = window.setTimeout(() => (me ? show(true) : start()), wait);
}

/** Too much is under way: what is there stays, and it is tried again. */
function busy(/** @type {any} */ error) {
  say("warn", ofError(error));
  clearTimeout(silence.timer);
  silence.timer = window.setTimeout(() => show(true), RETRY_MS[Math.min(silence.attempts++, RETRY_MS.length - 1)]);
}

function heard() {
  clearTimeout(silence.timer);
  silence = { attempts: 0, timer: 0 };
  find("main").classList.remove("is-old");
  if (pulse === "gone") showPulse("waiting");
  say(null);
}

// ------------------------------------------------------------------ coming and going

function showSignIn() {
  stopFollowing();
  me = null;
  showHeader();
  find("main").setAttribute("aria-busy", "false");
  find("main").replaceChildren(signInPage(start));
}

async function leave(/** @type {string} */ words, kind = "good") {
  reading++;
  clearTimeout(silence.timer);
  find("main").classList.remove("is-old");
  await signOut();
  showSignIn();
  say(kind, words);
}

/** Begin, or begin again, as whoever is signed in. */
async function start() {
  stopFollowing();
  try {
    me = await readMe();
  } catch (/** @type {any} */ error) {
    if (error.status === 401) return (await renew().catch(() => false)) ? start() : leave(texts.signIn.expired, "warn");
    return silent();
  }
  if (!me) return showSignIn();
  say(null);
  showHeader();
  if (me.problem) {
    find("main").setAttribute("aria-busy", "false");
    find("main").replaceChildren(h("p", { class: "note", "data-kind": "warn" }, texts.problems[me.problem]));
    return;
  }
  stopFollowing = follow(me.organization.id, {
    change: () => PAGES[me.role]?.[address()[0]]?.live && show(true),
    state: (state) => (state === "live" || pulse !== "gone") && showPulse(state),
  });
  await show();
}

const skip = find("skip");
skip.textContent = texts.skip;
skip.addEventListener("click", (event) => {
  event.preventDefault(); // the address names a page
  find("main").focus();
});
window.addEventListener("hashchange", async () => {
  say(null);
  await show();
  scrollTo(0, 0);
  find("main").focus({ preventScroll: true });
});
window.addEventListener("online", () => show(true));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => show(true));
// A session that ends in another window, or cannot be renewed, ends here.
client.auth.onAuthStateChange((event) => {
  if (event === "SIGNED_OUT" && me) setTimeout(() => me && leave(texts.signIn.expired, "warn"));
});
await start();
