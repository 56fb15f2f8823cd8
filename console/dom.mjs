// Building what is shown: elements, and the few patterns that pages share.

import { ofError } from "./refusals.mjs";
import { locale, texts } from "./texts.mjs";

/**
 * An element: properties (on… are listeners, others attributes), then children; null and false are left out.
 * @type {(name: string, properties?: Record<string, any> | null, ...children: any[]) => any}
 */
export function h(name, properties, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "value") /** @type {any} */ (element).value = value;
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(
    ...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false),
  );
  return element;
}

const whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
const hundredths = new Intl.NumberFormat(locale, { maximumFractionDigits: 2 });
export const count = (number) => (number === null || number === undefined ? texts.hidden : whole.format(number));
export const hours = (number) => (number === null || number === undefined ? texts.hidden : hundredths.format(number));
export const day = (iso) => (iso ? new Date(`${iso.slice(0, 10)}T12:00:00`).toLocaleDateString(locale) : "–");
export const moment = (iso) => new Date(iso).toLocaleString(locale, { dateStyle: "short", timeStyle: "short" });
export const clock = (date) =>
  date.toLocaleTimeString(locale, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
/** @type {(date: Date) => string} */
export const isoDay = (date) =>
  `${date.getFullYear()}-${String(date.getMonth() + 1).padStart(2, "0")}-${String(date.getDate()).padStart(2, "0")}`;

export const card = (title, ...children) => h("section", { class: "card" }, h("h2", null, title), ...children);
export const pill = (kind, text) => h("span", { class: "pill", "data-kind": kind }, text);
export const note = (kind, ...children) => h("p", { class: "note", "data-kind": kind }, ...children);
export const empty = (text) => h("p", { class: "empty" }, text);
export const head = (title, below, ...right) =>
  h("div", { class: "head" }, h("div", null, h("h1", null, title), h("p", null, below)), right);

/** Cards of figures: [label, value, what is below it]. */
export const kpis = (figures, changed = new Set()) =>
  h(
    "dl",
    { class: "kpis figures" },
    figures.map(([label, value, below]) =>
      h(
        "div",
        { class: changed.has(label) ? "kpi changed" : "kpi" },
        h("dt", null, label),
        h("dd", null, value, h("small", null, below ?? "")),
      ),
    ),
  );

export const field = (label, input, properties) => h("label", properties, label, input);
export const select = (properties, options, chosen) =>
  h(
    "select",
    properties,
    options.map(([value, label]) => h("option", { value, selected: String(value) === String(chosen) }, label)),
  );

/**
 * A form that says what came of it: `act` gets the values, and returns what to say.
 * @type {(fields: any[], label: string, act: (values: any, form: any) => Promise<string | void>) => any}
 */
export function actionForm(fields, label, act) {
  const said = h("p", { class: "wide", role: "status" });
  const button = h("button", { class: "main" }, label);
  const form = h("form", null, fields, h("div", { class: "wide actions" }, button), said);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    await tell(said, button, () => act(Object.fromEntries(new FormData(form)), form));
  });
  return form;
}

/** A button that says what came of it beside itself. */
export function actionButton(label, act, properties = {}) {
  const said = h("span", { role: "status" });
  const button = h("button", { type: "button", ...properties }, label);
  button.addEventListener("click", () => tell(said, button, act));
  return h("span", { class: "actions" }, button, said);
}

async function tell(said, button, act) {
  button.disabled = true;
  said.className = said.className.replace("error", "").trim();
  said.textContent = texts.working;
  try {
    said.textContent = (await act()) ?? "";
  } catch (error) {
    said.classList.add("error");
    said.textContent = ofError(error);
  } finally {
    button.disabled = false;
  }
}
