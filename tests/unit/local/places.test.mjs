// How many requests of one caller are under way at the same time, by a clock that the tests move.

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { SignJWT } from "jose";

import { createPlaces } from "../../../local/gateway/places.mjs";

const SECRET = "a-secret-of-these-tests-of-sufficient-length";
const SERVICE = "the-key-of-the-service";
const HOME = "127.0.0.1";
const AT_ONCE = 2;

const sign = async (sub, secret = SECRET) =>
  `Bearer ${await new SignJWT({ sub }).setProtectedHeader({ alg: "HS256" }).sign(new TextEncoder().encode(secret))}`;
const KARI = await sign("kari");
const OLA = await sign("ola");
const FORGED = await sign("kari", "another-secret-another-secret-another");

let take;

beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  take = createPlaces({ jwtSecret: SECRET, serviceRoleKey: SERVICE });
});
afterEach(() => mock.timers.reset());

const takeMany = (count, who = KARI) => Promise.all(Array.from({ length: count }, () => take(who, HOME)));

/** Ask for a place that is not there yet: { given } is what came of it, undefined as long as it waits. */
async function wait(who = KARI) {
  const asked = { given: /** @type {any} */ (undefined) };
  take(who, HOME).then((release) => {
    asked.given = release;
  });
  await settled();
  return asked;
}

/** Let everything go on that waits for no clock: signatures are checked on a thread. */
const settled = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

async function pass(ms) {
  mock.timers.tick(ms);
  await settled();
}

test("a person has two, and the others wait for them in turn", async () => {
  const [first, ...others] = await takeMany(AT_ONCE);
  const [third, fourth] = [await wait(), await wait()];
  assert.equal(third.given, undefined);
  first(200);
  await pass(0);
  assert.equal(typeof third.given, "function");
  assert.equal(fourth.given, undefined);
  others[0](200);
  await pass(0);
  assert.equal(typeof fourth.given, "function");
});

test("another person has places of their own", async () => {
  await takeMany(AT_ONCE);
  assert.equal((await takeMany(AT_ONCE, OLA)).length, AT_ONCE);
});

test("who forges a token takes a place of their address, and nobody's", async () => {
  await takeMany(AT_ONCE, FORGED);
  assert.equal((await wait(FORGED)).given, undefined);
  assert.equal((await wait("Bearer nothing")).given, undefined);
  assert.equal((await takeMany(AT_ONCE)).length, AT_ONCE);
});

test("the service needs none", async () => {
  assert.equal((await takeMany(5 * AT_ONCE, `Bearer ${SERVICE}`)).length, 5 * AT_ONCE);
});

test("waiting ends after five seconds, and whoever waited has no place", async () => {
  const held = await takeMany(AT_ONCE);
  const late = await wait();
  await pass(4_999);
  assert.equal(late.given, undefined);
  const next = await wait();
  await pass(1);
  assert.equal(late.given, null);
  assert.equal(next.given, undefined);
  held[0](400); // which rests for a moment, for somebody waits
  await pass(250);
  assert.equal(typeof next.given, "function");
});

for (const { what, status, took, rest } of [
  { what: "a success", status: 200, took: 200, rest: 0 },
  { what: "a slow success", status: 200, took: 300, rest: 900 },
  { what: "a refusal", status: 400, took: 10, rest: 250 },
  { what: "a refusal for now", status: 429, took: 10, rest: 1_000 },
]) {
  test(`after ${what} a place rests for ${rest} ms while somebody waits`, async () => {
    const [first] = await takeMany(AT_ONCE);
    const waiting = await wait();
    await pass(took);
    first(status);
    if (rest > 0) {
      await pass(rest - 1);
      assert.equal(waiting.given, undefined);
    }
    await pass(1);
    assert.equal(typeof waiting.given, "function");
  });
}

test("more than ten that wait are a flood: then a place rests three times as long as it was taken", async () => {
  const [first, second] = await takeMany(AT_ONCE);
  const waiting = [];
  for (let n = 0; n < 11; n += 1) waiting.push(await wait());
  await pass(20);
  first(200);
  await pass(59);
  assert.equal(waiting[0].given, undefined);
  await pass(1);
  assert.equal(typeof waiting[0].given, "function");
  second(200); // ten wait now
  await pass(0);
  assert.equal(typeof waiting[1].given, "function");
});

test("where nobody waits no place rests", async () => {
  const [first] = await takeMany(AT_ONCE);
  first(429);
  await pass(0);
  assert.equal(typeof (await wait()).given, "function");
});

test("who leaves while waiting hands the place on", async () => {
  const [first] = await takeMany(AT_ONCE);
  const [gone, next] = [await wait(), await wait()];
  first(200);
  await pass(0);
  gone.given(0); // the gateway, which sees that nobody is there any more
  await pass(0);
  assert.equal(typeof next.given, "function");
});

test("after all is done there are two again", async () => {
  for (const release of await takeMany(AT_ONCE)) release(200);
  await pass(0);
  assert.equal((await takeMany(AT_ONCE)).length, AT_ONCE);
  assert.equal((await wait()).given, undefined);
});
