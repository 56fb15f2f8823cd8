// JSON lines on stdout: one object per event. Ids, counts and codes only; never keys, tokens, headers or bodies.

/** Write one event. `fields` holds scalars that are safe to keep. */
export function log(level, event, fields = {}) {
  const entry = { ts: new Date().toISOString(), level, event, ...fields };
  process.stdout.write(`${JSON.stringify(entry)}\n`);
}

/** Whether a text holds something that begins as keys, tokens and webhook secrets do, however it is written. */
export function holdsSecret(text) {
  const written = text.replace(/%([0-9a-f]{2})/gi, (_, code) => String.fromCharCode(Number.parseInt(code, 16)));
  return /sb_(?:secret|publishable)_|eyJ|whsec_/.test(written);
}

/** What a path may tell: nothing that was meant as a query, for filters and keys are in it, and no key. */
export function safePath(path) {
  const told = path.split(/[?=&@]|%(?:3[df]|26|40)/i)[0].slice(0, 200);
  return holdsSecret(told) ? "(a secret)" : told;
}

/** Where an error was thrown. Its message is left out: it may quote anything. */
export const framesOf = (error) => (error.stack ?? "").split("\n").filter((line) => /^ +at /.test(line));

/**
 * Send what libraries print to the same place, reduced to what identifies the problem: they print whole errors,
 * and a database error quotes the row it refused.
 */
export function captureConsole() {
  for (const [method, level] of [
    ["log", "info"],
    ["info", "info"],
    ["warn", "warning"],
    ["error", "error"],
  ]) {
    console[method] = (...parts) => {
      const error = /** @type {any} */ (parts.find((part) => part instanceof Error));
      log(level, "library_message", { error: error?.name ?? "message", code: error?.code });
    };
  }
}
