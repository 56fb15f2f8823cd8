// API keys → roles, as Supabase's gateway does it: a key says which application calls, a user's token outranks it.

import { createHash, timingSafeEqual } from "node:crypto";

const MISSING = {
  message: "No API key found in request",
  hint: "No `apikey` request header or url param was found.",
};
const INVALID = { message: "Invalid API key", hint: "Double check your Supabase `apikey`" };
const IN_BROWSER = {
  message: "Forbidden use of secret API key in browser",
  hint: "Secret API keys can only be used in a protected environment and should never be used in a browser.",
};

const digest = (text) => createHash("sha256").update(text).digest();

/**
 * Build the resolver of API keys: publishable and anon (role anon), secret and service_role (role service_role).
 * While a key is rotated, the one of before is known as well, as on the platform.
 * Returns (headers, key in the query) → { authorization } for the service behind, or { refusal }, the body of a 401.
 */
export function createKeyResolver(keys) {
  const { publishableKey, secretKey, anonKey, serviceRoleKey, previousPublishableKey, previousSecretKey } = keys;
  const known = [
    ...(previousPublishableKey ? [{ digest: digest(previousPublishableKey), token: anonKey }] : []),
    ...(previousSecretKey ? [{ digest: digest(previousSecretKey), token: serviceRoleKey, secret: true }] : []),
    { digest: digest(publishableKey), token: anonKey },
    { digest: digest(anonKey), token: anonKey },
    { digest: digest(secretKey), token: serviceRoleKey, secret: true },
    { digest: digest(serviceRoleKey), token: serviceRoleKey },
  ];

  return function resolve(headers, keyInQuery) {
    const apikey = headers.get("apikey") || keyInQuery;
    if (!apikey) return { refusal: MISSING };
    const candidate = digest(apikey);
    // Digests have one length, and every key is compared: the time taken says nothing about a guess.
    const [key] = known.filter((entry) => timingSafeEqual(entry.digest, candidate));
    if (!key) return { refusal: INVALID };
    if (key.secret && headers.get("user-agent")?.startsWith("Mozilla/5.0")) return { refusal: IN_BROWSER };

    const bearer = /^Bearer\s+(\S+)$/i.exec(headers.get("authorization") ?? "")?.[1];
    // Clients without a session repeat their key as the bearer token; it is still only a key.
    return { authorization: `Bearer ${bearer && !bearer.startsWith("sb_") ? bearer : key.token}` };
  };
}

/**
 * A raw query (with "?" before it, unless it is empty) without its `apikey`, however that is written; otherwise
 * unchanged byte for byte.
 */
export function withoutApiKey(query) {
  const kept = query
    .split("&")
    .filter((part) => !new URLSearchParams(part).has("apikey"))
    .join("&");
  return kept === "" ? "" : `?${kept}`;
}
