// How many requests of one caller are under way at the same time: the others wait here, where it costs nothing.

import { jwtVerify } from "jose";

const AT_ONCE = 2;
const PATIENCE_MS = 5_000;
const SLOW_MS = 200;
const CROWD = 10; // more than these wait behind no app: it is a flood
const REST_MS = { refused: 250, limited: 1_000 };
const REMEMBERED_TOKENS = 1_000;

/** How long a place rests after an answer while others wait for it: so no flood has more than a part of the time. */
function restAfter(status, durationMs, waiting) {
  if (waiting === 0) return 0;
  if (status === 429) return REST_MS.limited;
  if (status >= 400 && status < 500) return REST_MS.refused;
  return durationMs > SLOW_MS || waiting > CROWD ? 3 * durationMs : 0;
}

/**
 * Build the places of each caller: a person with a valid token, else an address. The secret keys need none.
 *
 * take(authorization, address) → release(status), to be called once with the answer's; null after waiting in vain.
 */
export function createPlaces({ jwtSecret, serviceRoleKey }) {
  const key = new TextEncoder().encode(jwtSecret);
  const people = new Map(); // token → its person, the oldest first
  const callers = new Map(); // name → { busy, waiting: [give, …] }

  async function nameOf(authorization, address) {
    const token = authorization.slice("Bearer ".length);
    if (!people.has(token)) {
      const person = await jwtVerify(token, key, { algorithms: ["HS256"] }).then(
        ({ payload }) => payload.sub,
        () => null,
      );
      if (people.size >= REMEMBERED_TOKENS) people.delete(people.keys().next().value);
      people.set(token, person ?? null);
    }
    return people.get(token) ?? address;
  }

  function releaseOf(name, caller) {
    const started = Date.now();
    const next = () => {
      const give = caller.waiting.shift();
      if (give) give(releaseOf(name, caller));
      else if (--caller.busy === 0) callers.delete(name);
    };
    return (status) => {
      setTimeout(next, restAfter(status, Date.now() - started, caller.waiting.length)).unref();
    };
  }

  return async function take(authorization, address) {
    if (authorization === `Bearer ${serviceRoleKey}`) return () => {};
    const name = await nameOf(authorization, address);
    const caller = callers.get(name) ?? { busy: 0, waiting: [] };
    callers.set(name, caller);
    if (caller.busy < AT_ONCE) {
      caller.busy += 1;
      return releaseOf(name, caller);
    }
    return new Promise((resolve) => {
      const late = setTimeout(() => {
        caller.waiting.splice(caller.waiting.indexOf(give), 1);
        resolve(null);
      }, PATIENCE_MS).unref();
      const give = (release) => {
        clearTimeout(late);
        resolve(release);
      };
      caller.waiting.push(give);
    });
  };
}
