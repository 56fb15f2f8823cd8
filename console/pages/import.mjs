// A list from a spreadsheet: what would change, line by line, then the import itself.

import { rpc } from "../api.mjs";
import { actionButton, actionForm, card, count, field, h, head, note, pill, select } from "../dom.mjs";
import { parse } from "../parts/csv.mjs";
import { table } from "../parts/table.mjs";
import { ofError } from "../refusals.mjs";
import { texts } from "../texts.mjs";

const words = texts.imports;
const COLUMNS = {
  units: ["unit", "kind", "parent"],
  people: ["email", "name", "role"],
  activities: ["reference", "date", "type", "chapter", "peer_mentor", "minutes"],
};
const KIND = { insert: "good", update: "warn", unchanged: "", problem: "bad" };

/** What is wrong with a line; what has no words of its own is told as a refusal of the server is. */
function wrong({ code, values, problem }) {
  const tell = words.wrong[code];
  return tell ? tell(...values.map((value) => value ?? "")) : ofError({ code, message: problem, status: 400 });
}
const outcome = (line) => (line.problem ? "problem" : line.outcome);

/** What a preview or an import says of each line. */
function shown(lines, kind, rows, result) {
  const sums = Object.keys(words.outcomes).map(
    (key) =>
      /** @type {[string, string]} */ ([
        words.outcomes[key],
        count(lines.filter((line) => outcome(line) === key).length),
      ]),
  );
  const hasProblems = lines.some((line) => line.problem);
  const run = async () => {
    const done = await rpc("run_import", { kind, rows });
    result.replaceChildren(
      note("good", words.done),
      h(
        "p",
        null,
        words.summary(
          Object.keys(words.outcomes)
            .slice(0, 3)
            .map(
              (key) =>
                /** @type {[string, string]} */ ([
                  words.outcomes[key],
                  count(done.filter((line) => line.outcome === key).length),
                ]),
            ),
        ),
      ),
    );
  };
  return card(
    words.caption,
    h("p", null, words.summary(sums)),
    hasProblems ? note("bad", words.problems) : actionButton(words.run, run, { class: "main", id: "run-import" }),
    table(
      "import",
      words.caption,
      [
        { label: words.line, show: (line) => line.line },
        { label: texts.name, show: (line) => line.name, text: (line) => line.name ?? "" },
        {
          label: words.outcome,
          show: (line) => [pill(KIND[outcome(line)], words.outcomes[outcome(line)]), line.problem && ` ${wrong(line)}`],
          text: (line) => (line.problem ? wrong(line) : ""),
        },
      ],
      [...lines].sort((a, b) => Number(!a.problem) - Number(!b.problem) || a.line - b.line),
    ),
  );
}

/** @type {import("../main.mjs").Page} */
export const imports = {
  load: async () => null,
  render() {
    const result = h("div", { id: "import-result" });
    const columns = h("p", { class: "fresh wide" }, words.columns.units);
    const form = actionForm(
      [
        field(
          words.kind,
          select(
            {
              name: "kind",
              onchange: (event) => {
                columns.textContent = words.columns[event.target.value];
              },
            },
            Object.entries(words.kinds),
          ),
        ),
        field(words.file, h("input", { name: "file", type: "file", accept: ".csv,text/csv" })),
        columns,
        field(words.text, h("textarea", { name: "text", spellcheck: "false" }), { class: "wide" }),
      ],
      words.preview,
      async ({ kind, file, text }) => {
        const content = file?.size ? await file.text() : text;
        if (!content.trim()) throw new Error(words.nothing);
        const rows = parse(content);
        if (rows.length === 0) throw new Error(words.emptyFile);
        const missing = COLUMNS[kind].filter((column) => !(column in rows[0]));
        if (missing.length) throw new Error(words.missing(missing));
        result.replaceChildren(shown(await rpc("preview_import", { kind, rows }), kind, rows, result));
      },
    );
    return [
      head(words.title, words.below),
      card(words.title, h("p", { class: "fresh" }, words.elsewhere), form),
      result,
    ];
  },
};
