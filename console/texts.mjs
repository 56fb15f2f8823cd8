// The words that people read, in the language that they chose last: one table for each, and no words elsewhere.

import { en } from "./texts/en.mjs";
import { nb } from "./texts/nb.mjs";

const KEPT = "language-of-the-console";
const TABLES = { nb, en };

/** @type {"nb" | "en"} */
export const language = localStorage.getItem(KEPT) === "en" ? "en" : "nb";
/** How numbers, days and names are written and sorted. */
export const locale = language === "en" ? "en-GB" : "nb";
/** @type {typeof nb} */
export const texts = TABLES[language];
export const other = language === "en" ? "nb" : "en";
export const otherName = TABLES[other].language;
document.documentElement.lang = language;

/** From the next page on, which is this one once more. */
export function switchLanguage() {
  localStorage.setItem(KEPT, other);
  location.reload();
}
