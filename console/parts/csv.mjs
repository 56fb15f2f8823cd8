// CSV as spreadsheets write it: commas or semicolons, quotes, and a byte order mark at times.

/** The rows after the first, which names the columns. @type {(text: string) => Record<string, string>[]} */
export function parse(text) {
  const clean = text.replace(/^\uFEFF/, "");
  const [first] = clean.split(/\r?\n/, 1);
  const separator = first.includes(";") ? ";" : first.includes("\t") ? "\t" : ",";
  const [names, ...rows] = cells(clean, separator);
  const keys = (names ?? []).map((name) => name.trim().toLowerCase());
  return rows.map((row) => Object.fromEntries(keys.map((key, index) => [key, row[index]?.trim() ?? ""])));
}

function cells(text, separator) {
  const rows = [[""]];
  let isQuoted = false;
  for (let at = 0; at < text.length; at++) {
    const row = /** @type {string[]} */ (rows.at(-1));
    const letter = text[at];
    if (isQuoted && letter === '"' && text[at + 1] === '"') row[row.length - 1] += text[++at];
    else if (letter === '"') isQuoted = !isQuoted;
    else if (!isQuoted && letter === separator) row.push("");
    else if (!isQuoted && letter === "\n") rows.push([""]);
    else if (isQuoted || letter !== "\r") row[row.length - 1] += letter;
  }
  // An empty line is none, but lines keep their numbers: only those at the end are left out.
  while (rows.length > 0 && /** @type {string[]} */ (rows.at(-1)).every((cell) => cell === "")) rows.pop();
  return rows;
}
