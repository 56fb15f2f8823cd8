// The report's versions: prepared, approved by somebody else, sent; each as files, and why it differs from now.

import { call, download } from "../../api.mjs";
import { actionButton, card, day, h } from "../../dom.mjs";
import { texts } from "../../texts.mjs";
import { difference } from "./difference.mjs";

const words = texts.bufdir;
const FORMATS = ["pdf", "xlsx", "csv", "json"];
const reports = (year) => `bufdir-reports?period_start=${year}-01-01&period_end=${year + 1}-01-01`;

/** Who took a step, and when. */
const signature = (version, step) =>
  version[step] && h("span", null, `${words.signed[step]} ${day(version[step].at)}: ${version[step].name}`);

function versionLine(version, { year, me }, again, newest) {
  const take = (step, said) => async () => {
    await call(`${reports(year)}&step=${step}&version=${version.id}`, "POST");
    await again(said);
  };
  const file = (format) =>
    actionButton(
      format.toUpperCase(),
      async () => words.downloaded(await download(`bufdir-export?version=${version.id}&format=${format}`)),
      { class: "small", "aria-label": `${words.files}: ${format.toUpperCase()}, ${words.version} ${version.version}` },
    );
  const waits = me.settings.two_person_sign_off && version.prepared.profile_id === me.id;
  return h(
    "section",
    { class: "card", "data-version": version.version },
    h("h3", null, `${words.version} ${version.version}`),
    h(
      "p",
      { class: "actions" },
      ["prepared", "approved", "sent"].map((step) => signature(version, step)),
    ),
    h(
      "div",
      { class: "actions" },
      !version.approved &&
        version === newest &&
        (waits
          ? h("span", { class: "fresh" }, words.prepared)
          : actionButton(words.approve, take("approve", words.approved), { class: "main" })),
      version.approved &&
        !version.sent &&
        version === newest &&
        actionButton(words.send, take("send", words.sent), { class: "main" }),
      version.approved && [h("span", null, `${words.files}:`), FORMATS.map(file)],
    ),
    version.approved && !version.sent && version === newest && h("p", { class: "fresh" }, words.handIn),
    me.role === "org_admin" && difference(version), // who sees what every activity was
  );
}

export function report(data, again) {
  const isFresh = data.status.verdict === "fresh";
  const prepare = async () => {
    await call(`${reports(data.year)}&step=prepare`, "POST");
    await again(data.me.settings.two_person_sign_off ? words.prepared : words.preparedAlone);
  };
  return card(
    words.versions,
    h(
      "div",
      { class: "actions" },
      actionButton(words.prepare, prepare, { class: "main", id: "prepare", disabled: !isFresh }),
      !isFresh && h("span", { class: "fresh" }, words.computeFirst),
      data.versions.length === 0 && h("span", { class: "fresh" }, words.noVersions),
    ),
    data.versions.map((version) => versionLine(version, data, again, data.versions[0])),
  );
}
