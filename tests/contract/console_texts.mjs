// Words in the console's code that are in no table of texts. Prints them as JSON: `node console_texts.mjs FILE…`
//
// A word is one where it is shown: a child of an element, what describes one, what a helper puts on the page, an
// error's message. Elsewhere a literal is one when it reads like a sentence.

import { readFileSync } from "node:fs";
import ts from "typescript";

const SHOWN_FROM = { h: 2, card: 0, note: 1, pill: 1, empty: 0, head: 0, field: 0, actionButton: 0, say: 1, Error: 0 };
const SHOWN = new Set(["aria-label", "title", "placeholder", "alt", "label", "textContent", "text", "show"]);
const LETTERS = /\p{L}/u;
const SENTENCE = /\p{L}{2,},? \p{L}{2,}|^\p{Lu}\p{Ll}+$|[æøåÆØÅ]/u;
const CODE = new Set(["class", "accept", "autocomplete", "pattern"]); // attributes that nobody reads

const name = (node) => node?.name?.text ?? node?.name?.getText() ?? "";

/** Where a literal stands: shown, for machines, or neither for sure. */
function place(node) {
  for (let child = node, parent = node.parent; parent; child = parent, parent = parent.parent) {
    if (ts.isImportDeclaration(parent) || ts.isElementAccessExpression(parent)) return "code";
    if (ts.isBinaryExpression(parent) && /^[=!]==?$/.test(parent.operatorToken.getText())) return "code";
    if (ts.isBinaryExpression(parent) && parent.operatorToken.getText() === "=")
      return child === parent.right && SHOWN.has(name(parent.left)) ? "shown" : "open";
    if (ts.isPropertyAssignment(parent)) {
      if (child === parent.name) return "code";
      const key = name(parent).replaceAll('"', "");
      return SHOWN.has(key) ? "shown" : CODE.has(key) ? "code" : "open";
    }
    if (ts.isCallExpression(parent) || ts.isNewExpression(parent)) {
      const called = parent.expression.getText();
      const from = SHOWN_FROM[/** @type {keyof typeof SHOWN_FROM} */ (called)];
      const at = parent.arguments?.indexOf(/** @type {any} */ (child)) ?? -1;
      return from !== undefined && at >= from ? "shown" : "open";
    }
  }
  return "open";
}

function stray(/** @type {string} */ file) {
  const source = ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.Latest, true);
  /** @type {string[]} */
  const found = [];
  const visit = (/** @type {any} */ node) => {
    const isText = ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node);
    const text = isText ? node.text : "";
    if (LETTERS.test(text)) {
      const where = place(node);
      if (where === "shown" || (where === "open" && SENTENCE.test(text))) found.push(text);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

const files = process.argv.slice(2);
console.log(JSON.stringify(Object.fromEntries(files.map((file) => [file, stray(file)]))));
