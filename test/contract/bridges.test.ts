/** Lines that hear each other, from outside: telephones that speak and listen. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { startTelephones, type Telephones } from "../support/backend";
import { type Answer, EventListener, get, type Json, post, request } from "../support/client";
import { goertzelDbm0 } from "../support/level";
import { eventually, type RunningServer } from "../support/server";
import { sine } from "../support/stepped";

let phones: Telephones;
let server: RunningServer;
beforeAll(async () => {
  phones = await startTelephones(4);
  server = phones.server;
}, 120_000);
afterAll(async () => {
  await server.stop();
});

const phone = (line: number) => phones.telephone(line);
const eventsOf = (line: number): Promise<EventListener> => EventListener.open(`${server.websocket}?line=${line}`);
const refused = ({ status, body }: Answer, expected: number, code: string): void =>
  expect({ status, code: body.code }).toEqual({ status: expected, code });
async function bridged(wishes: Json): Promise<string> {
  const { status, body } = await post(`${server.rest}/bridges`, wishes);
  expect({ status, body }).toMatchObject({ status: 200, body: { status: "success" } });
  return `${server.rest}/bridges/${body.bridge_id}`;
}
const members = async (url: string): Promise<unknown> => (await get(url)).body.lines;
const stateOf = async (line: number): Promise<unknown> =>
  (await get(`${server.rest}/lines/${line}/status`)).body.state;

const AMPLITUDE = 8000;
const SPOKEN_DBM0 = 20 * Math.log10(AMPLITUDE / 32768) + 3.14;
const QUIET_DBM0 = -45;
/** Of the other telephone's hybrid, at least: nobody is sent his own voice but by that. */
const ECHO_LOSS_DB = 15;

/** So far apart that the end of one is no click at another. */
const FREQUENCIES_HZ = [500, 800, 1250, 1550, 1850, 2300, 2600, 2900];
/** A busy machine listens late; nobody says a frequency again within it. */
const LISTENED_S = 4;
let spoken = 0;

/** At its loudest, of what this telephone heard lately. */
async function loudest(line: number, frequencyHz: number): Promise<number> {
  const ear = await phone(line).ear(LISTENED_S);
  const windows = Array.from({ length: Math.floor(ear.length / 800) - 2 }, (_, i) =>
    goertzelDbm0(ear.subarray(i * 800, i * 800 + 2400), frequencyHz),
  );
  return Math.max(...windows);
}

/** How loud each of the listeners hears a frequency that the speaker says for a second. */
async function heard(speaker: number, listeners: readonly number[]): Promise<number[]> {
  const frequencyHz = FREQUENCIES_HZ[spoken++ % FREQUENCIES_HZ.length] as number;
  // What it heard of a click, or in another test, goes by first.
  for (const line of listeners)
    await eventually(
      () => loudest(line, frequencyHz),
      (dbm0) => dbm0 < QUIET_DBM0,
    );
  await phone(speaker).speak(sine(frequencyHz, 1000, AMPLITUDE) as Int16Array<ArrayBuffer>);
  return Promise.all(listeners.map((line) => loudest(line, frequencyHz)));
}

async function hangUp(...lines: number[]): Promise<void> {
  for (const line of lines) await phone(line).hangUp();
  await eventually(
    () => get(`${server.rest}/bridges`),
    ({ body }) => (body.bridges as unknown[]).length === 0,
  );
}

test("two hear each other at the level at which they speak, and not themselves; digits are told as ever", async () => {
  await phone(1).lift();
  await phone(2).lift();
  using one = await eventsOf(1);
  using two = await eventsOf(2);
  const url = await bridged({ lines: [1, 2] });
  const id = url.split("/").at(-1);
  await one.event("bridge_joined", { bridge_id: id });
  await two.event("bridge_joined", { bridge_id: id });
  expect(await members(url)).toEqual([
    { line: 1, state: "joined" },
    { line: 2, state: "joined" },
  ]);
  expect([await stateOf(1), await stateOf(2)]).toEqual(["IN_CALL", "IN_CALL"]);
  const [there, here] = await heard(1, [2, 1]);
  expect(Math.abs((there ?? 0) - SPOKEN_DBM0)).toBeLessThan(1.5);
  expect(here).toBeLessThan(SPOKEN_DBM0 - ECHO_LOSS_DB);
  const [back] = await heard(2, [1]);
  expect(Math.abs((back ?? 0) - SPOKEN_DBM0)).toBeLessThan(1.5);
  await phone(1).press("5");
  await one.event("dtmf", { digit: "5" });
  await phone(2).hangUp();
  expect(await two.event("bridge_left")).toMatchObject({ bridge_id: id, reason: "hung_up" });
  expect(two.types()).not.toContain("dtmf"); // heard there, and pressed by nobody there
  expect(await one.event("bridge_left")).toMatchObject({ bridge_id: id, reason: "alone" });
  refused(await get(url), 404, "unknown_bridge");
  expect(await stateOf(1)).toBe("OFF_HOOK");
  await hangUp(1);
});

test("three hear each other; who is held hears and says nothing, and comes back; who is removed stays lifted", async () => {
  for (const line of [1, 2, 3]) await phone(line).lift();
  const url = await bridged({ lines: [1, 2] });
  expect((await post(`${url}/add`, { line: 3 })).status).toBe(200);
  for (const level of await heard(3, [1, 2])) expect(Math.abs(level - SPOKEN_DBM0)).toBeLessThan(1.5);
  const { body } = await post(`${url}/hold`, { line: 2 });
  expect(body.lines).toContainEqual({ line: 2, state: "held" });
  const [toHeld, toOther] = await heard(3, [2, 1]);
  expect(toHeld).toBeLessThan(QUIET_DBM0);
  expect(Math.abs((toOther ?? 0) - SPOKEN_DBM0)).toBeLessThan(1.5);
  for (const level of await heard(2, [1, 3])) expect(level).toBeLessThan(QUIET_DBM0);
  expect((await post(`${url}/unhold`, { line: 2 })).status).toBe(200);
  for (const level of await heard(2, [1, 3])) expect(Math.abs(level - SPOKEN_DBM0)).toBeLessThan(1.5);
  using three = await eventsOf(3);
  expect((await post(`${url}/remove`, { line: 3 })).status).toBe(200);
  expect(await three.event("bridge_left")).toMatchObject({ reason: "removed" });
  expect(await stateOf(3)).toBe("OFF_HOOK");
  refused(await post(`${url}/remove`, { line: 3 }), 409, "not_on_bridge");
  for (const level of await heard(1, [3])) expect(level).toBeLessThan(QUIET_DBM0);
  using one = await eventsOf(1);
  expect((await request(url, { method: "DELETE" })).status).toBe(204);
  expect(await one.event("bridge_left")).toMatchObject({ reason: "deleted" });
  await hangUp(1, 2, 3);
});

test("rings who is on-hook; each joins at its answer, and who does not answer never does", async () => {
  await phone(1).lift();
  refused(await post(`${server.rest}/bridges`, { lines: [1, 2] }), 409, "line_on_hook");
  expect((await get(`${server.rest}/bridges`)).body).toEqual({ bridges: [] });
  const url = await bridged({ lines: [1, 2], ring: true });
  expect(await members(url)).toEqual([
    { line: 1, state: "joined" },
    { line: 2, state: "ringing" },
  ]);
  refused(await post(`${url}/hold`, { line: 2 }), 409, "not_on_bridge");
  using two = await eventsOf(2);
  await phone(2).lift();
  await two.event("bridge_joined");
  const [there] = await heard(1, [2]);
  expect(Math.abs((there ?? 0) - SPOKEN_DBM0)).toBeLessThan(1.5);
  using three = await eventsOf(3);
  expect((await post(`${url}/add`, { line: 3, ring: true, duration: 400 })).status).toBe(200);
  expect(await three.event("bridge_left")).toMatchObject({ reason: "no_answer" });
  expect(await members(url)).toHaveLength(2);
  await hangUp(1, 2);
});

test("who is rung with a caller's name joins too, though its announcement is cut short by the answer", async () => {
  await phone(1).lift();
  const url = await bridged({ lines: [1, 2], ring: true, caller_id: { name: "Kitchen" } });
  using two = await eventsOf(2);
  await phone(2).lift();
  await two.event("bridge_joined");
  expect(two.types()).not.toContain("bridge_left");
  expect(await members(url)).toHaveLength(2);
  await hangUp(1, 2);
});

test("what is wrong is refused, and changes nothing", async () => {
  await phone(1).lift();
  await phone(2).lift();
  await phone(3).lift();
  const bridges = `${server.rest}/bridges`;
  refused(await post(bridges, { lines: [1] }), 422, "invalid_input");
  refused(await post(bridges, { lines: [1, 1] }), 422, "invalid_input");
  refused(await post(bridges, { lines: [1, 99] }), 404, "unknown_line");
  refused(await post(bridges, { lines: [1, 2], pattern: "NONE", ring: "yes" }), 422, "invalid_input");
  refused(await post(bridges, { lines: [1, 4], pattern: "NO_SUCH", ring: true }), 422, "invalid_input");
  refused(await post(`${bridges}/none/hold`, { line: 1 }), 404, "unknown_bridge");
  expect((await get(bridges)).body).toEqual({ bridges: [] });
  const url = await bridged({ lines: [1, 2] });
  refused(await post(bridges, { lines: [2, 3] }), 409, "line_bridged");
  refused(await post(`${url}/add`, { line: 1 }), 409, "line_bridged");
  refused(await post(`${url}/add`, { line: 99 }), 404, "unknown_line");
  expect(await members(url)).toHaveLength(2);
  await hangUp(1, 2, 3);
});
