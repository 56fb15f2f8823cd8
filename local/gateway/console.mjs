// /: the console, a directory of static files.

import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import path from "node:path";
import { pipeline } from "node:stream/promises";

import { log } from "./logs.mjs";
import { sendJson } from "./replies.mjs";

const CONTENT_TYPES = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".ico": "image/x-icon",
  ".woff2": "font/woff2",
};

/** The file that a URL path names inside `root`, or null when there is none. Directories mean their index.html. */
async function findFile(root, urlPath) {
  let relative;
  try {
    relative = decodeURIComponent(urlPath);
  } catch {
    return null; // a stray % names no file
  }
  // Segments that begin with a dot lead outside, or to files that are not part of a page.
  if (relative.includes("/.") || relative.includes("\0")) return null;
  const file = path.join(root, relative.endsWith("/") ? `${relative}index.html` : relative);
  const found = await stat(file).catch(() => null);
  return found?.isFile() ? { file, size: found.size } : null;
}

/**
 * Build the route for `directory`. Files are revalidated on each load: they change while one works on them.
 * /config.json tells the page the publishable key, which is no secret.
 */
export function createConsoleRoute(directory, publishableKey) {
  const root = path.resolve(directory);
  async function handle(request, response, { path: urlPath, answerHeaders }) {
    if (!["GET", "HEAD"].includes(request.method)) {
      return sendJson(response, 405, { message: "Method not allowed" }, { ...answerHeaders, allow: "GET, HEAD" });
    }
    if (urlPath === "/config.json") {
      return sendJson(response, 200, { publishable_key: publishableKey }, { ...answerHeaders, "cache-control": "no-cache" });
    }
    const found = await findFile(root, urlPath);
    if (!found) return sendJson(response, 404, { message: "Not found" }, answerHeaders);
    response.writeHead(200, {
      ...answerHeaders,
      "content-type": CONTENT_TYPES[path.extname(found.file)] ?? "application/octet-stream",
      "content-length": found.size,
      "cache-control": "no-cache",
      "x-content-type-options": "nosniff",
    });
    if (request.method === "HEAD") return response.end();
    await pipeline(createReadStream(found.file), response).catch((error) => {
      log("warning", "answer_cut_short", { cause: error.code });
    });
  }
  return { name: "console", prefix: "/", preflight: false, handle, close: () => {} };
}
