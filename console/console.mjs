// A small page to look at the statistics through the same API as the app: sign in, then read every few seconds.

const REFRESH_MILLISECONDS = 5000;
/** @type {(selector: string) => any} */
const find = (selector) => document.querySelector(selector);
const form = find("#sign-in");
const message = find("#message");
let session = null;
let timer = null;

/** @type {(path: string, options?: { method?: string, body?: object, prefer?: string }) => Promise<Response>} */
async function ask(path, { method = "GET", body, prefer } = {}) {
  const { publishable_key: key } = await config;
  const response = await fetch(path, {
    method,
    headers: {
      apikey: key,
      ...(session && { authorization: `Bearer ${session.access_token}` }),
      ...(body && { "content-type": "application/json" }),
      ...(prefer && { prefer }),
    },
    body: body && JSON.stringify(body),
  });
  if (response.ok) return response;
  const answer = await response.json();
  throw new Error(answer.message ?? answer.msg ?? answer.error?.message ?? `HTTP ${response.status}`);
}

/** @type {(path: string, options?: { method?: string, body?: object }) => Promise<any>} */
const call = async (path, options) => (await ask(path, options)).json();

/**
 * All rows of a list: the API gives at most a thousand at a time, and says how many there are.
 * @type {(path: string) => Promise<any[]>}
 */
async function callAll(path) {
  const rows = [];
  for (;;) {
    const response = await ask(`${path}&offset=${rows.length}`, { prefer: "count=exact" });
    const page = await response.json();
    rows.push(...page);
    const total = Number(response.headers.get("content-range")?.split("/")[1]);
    if (rows.length === total || page.length === 0) return rows;
  }
}
const config = fetch("/config.json").then((response) => response.json());

const isoDate = (date) => date.toISOString().slice(0, 10);

function element(name, text = "") {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}

function showMonths(months) {
  const most = Math.max(1, ...months.map((month) => month.activity_count));
  find("#months").replaceChildren(
    ...months.map((month) => {
      const bar = element("div");
      bar.style.height = `${(100 * month.activity_count) / most}%`;
      bar.title = `${month.bucket_date.slice(0, 7)}: ${month.activity_count} activities, ${month.total_hours} hours`;
      bar.append(element("span", month.activity_count), element("time", month.bucket_date.slice(2, 7)));
      return bar;
    }),
  );
}

function showChapters(chapters, names) {
  const rows = chapters.map((row) => ({ ...row, name: names.get(row.chapter_id) ?? row.chapter_id }));
  rows.sort((a, b) => a.name.localeCompare(b.name, "nb"));
  find("#chapters").replaceChildren(
    ...rows.map((row) => {
      const line = element("tr");
      line.append(
        ...[row.name, row.activity_count, row.total_hours, row.active_peer_mentors].map((cell) => element("td", cell)),
      );
      return line;
    }),
  );
}

function showFreshness([freshness]) {
  find("#freshness").textContent = freshness
    ? `Compacted ${new Date(freshness.last_refreshed_at).toLocaleString()}; ${freshness.pending_changes} changes since, all of them counted above.`
    : "No statistics: switched off, or not a member.";
}

async function refresh() {
  const now = new Date();
  const from = new Date(Date.UTC(now.getFullYear(), now.getMonth() - 23, 1));
  const to = new Date(Date.UTC(now.getFullYear(), now.getMonth() + 1, 1)); // the last day is not in it
  const [months, chapters, units, freshness] = await Promise.all([
    call("/rest/v1/rpc/get_activity_series", { method: "POST", body: { p_from: isoDate(from), p_to: isoDate(to) } }),
    callAll("/rest/v1/chapter_stats?select=*&order=chapter_id"),
    callAll("/rest/v1/chapters?select=id,name&order=id"),
    call("/rest/v1/stats_freshness?select=*"),
  ]);
  showMonths(months);
  showChapters(chapters, new Map(units.map((unit) => [unit.id, unit.name])));
  showFreshness(freshness);
  find("main").hidden = false;
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  clearInterval(timer);
  session = null;
  message.textContent = "Signing in …";
  try {
    session = await call("/auth/v1/token?grant_type=password", {
      method: "POST",
      body: Object.fromEntries(new FormData(form)),
    });
    await refresh();
    message.textContent = `Signed in as ${session.user.email}.`;
    timer = setInterval(
      () =>
        refresh().catch((error) => {
          message.textContent = error.message;
        }),
      REFRESH_MILLISECONDS,
    );
  } catch (error) {
    find("main").hidden = true;
    message.textContent = error.message;
  }
});
