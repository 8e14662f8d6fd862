/** What only a card with hardware behind its ports can show: the virtual card's voltages, alarms, faults, plug. */
import { expect, test } from "bun:test";
import { EventListener, get, type Json, post } from "../support/client";
import { eventually } from "../support/server";
import { GUEST_WEBSOCKET_PORT } from "./guest";
import { measured } from "./report";
import { agent, oneServer, wallMs } from "./rig_line";

const { server, freshLine } = oneServer();
const HANDS = "/sys/kernel/debug/vfxs";
/** <dahdi/user.h>: DAHDI_ALARM_RED. */
const ALARM_RED = 8;
/** What the virtual card's hook detector takes to believe a change: vfxs_debounce_ms, the first of them at once. */
const DEBOUNCE_MS = 15;

const volts = (line: number, tip: number, ring: number, battery: number): Promise<void> =>
  agent.put(`${HANDS}/${line}/volts`, `${tip} ${ring} ${battery}`);

test("the voltage is the card's own reading, in /voltage, /diagnostics and voltage_change", async () => {
  const { line, url, events: eventsUrl } = freshLine();
  using events = await EventListener.open(`${eventsUrl}&types=voltage_change`);
  await volts(line, -1_000, -43_000, -50_500);
  expect(await events.event("voltage_change")).toMatchObject({ voltage: 42, value: 42 });
  expect((await get(`${url}/voltage`)).body).toMatchObject({ voltage: 42, status: "normal" });
  expect((await get(`${url}/diagnostics`)).body.voltage).toEqual({ tip: -1, ring: -43, battery: -50.5 });
  // Within the dead band of 1 V: measured, and not told.
  await volts(line, -1_000, -43_900, -50_500);
  await eventually(
    () => get(`${url}/voltage`),
    ({ body }) => body.voltage === 42.9,
  );
  await volts(line, 0, -90_000, -90_000);
  expect(await events.event("voltage_change", { voltage: 90 })).toBeTruthy();
  expect((await get(`${url}/voltage`)).body).toMatchObject({ status: "high", max_voltage: 90 });
  expect(events.frames.length).toBe(2);
  await agent.put(`${HANDS}/${line}/volts`, "auto");
});

test("a loop without battery reads low, a shorted pair is off-hook, and both mend", async () => {
  const { line, url, events: eventsUrl } = freshLine();
  using events = await EventListener.open(eventsUrl);
  await agent.put(`${HANDS}/${line}/fault`, "1");
  await events.event("voltage_change", { voltage: 0 });
  expect((await get(`${url}/voltage`)).body.status).toBe("low");
  await agent.put(`${HANDS}/${line}/fault`, "2");
  await events.event("off_hook");
  await agent.put(`${HANDS}/${line}/fault`, "0");
  await events.event("on_hook");
  await eventually(
    () => get(`${url}/voltage`),
    ({ body }) => body.status === "normal",
  );
});

test("an alarm of the card is told as hardware_status, and its end", async () => {
  const { url, events: eventsUrl } = freshLine();
  using events = await EventListener.open(`${eventsUrl}&types=hardware_status`);
  await agent.put(`${HANDS}/alarm`, String(ALARM_RED));
  expect(await events.event("hardware_status")).toMatchObject({ status: "alarm", details: { alarms: ["red"] } });
  expect(((await get(`${url}/diagnostics`)).body.hardware as Json).alarms).toEqual(["red"]);
  await agent.put(`${HANDS}/alarm`, "0");
  await events.event("hardware_status", { status: "ok" });
  expect(((await get(`${url}/diagnostics`)).body.hardware as Json).alarms).toEqual([]);
});

test("a contact that bounces gives one off_hook and one on_hook", async () => {
  const { phone, events: eventsUrl } = freshLine();
  using events = await EventListener.open(eventsUrl);
  await phone.hookScript("1:3 0:2 1:2 0:1 1:6 0:3 1:1 0:1 1:400");
  await events.event("off_hook");
  await phone.hookScript("0:4 1:2 0:3 1:1 0:8 1:4 0:1 1:1 0:900");
  await events.event("on_hook");
  const told = events.types().filter((type) => type !== "voltage_change");
  expect(told).toEqual(["off_hook", "on_hook"]);
});

test("four telephones at once: each line tells its own story", async () => {
  const lines = ["17", "28", "39", "40"].map((digits) => ({ digits, ...freshLine() }));
  await Promise.all(
    lines.map(async ({ phone, digits, line, events: eventsUrl }) => {
      using events = await EventListener.open(`${eventsUrl}&types=off_hook,dtmf,flash,on_hook`);
      await phone.lift();
      await phone.press(digits);
      await phone.flash(300);
      await phone.pulse(digits);
      await phone.hangUp();
      await events.event("on_hook");
      expect(events.frames.map((frame) => frame.digit ?? frame.type)).toEqual([
        "off_hook",
        ...digits,
        "flash",
        ...digits,
        "on_hook",
      ]);
      expect(new Set(events.frames.map((frame) => frame.line))).toEqual(new Set([line]));
    }),
  );
});

/** Runs in the guest, by its clock: the executable is a Bun as well. */
const LISTENER = `
  const [url, count] = process.argv.slice(2);
  const arrivals = [];
  const socket = new WebSocket(url);
  socket.onopen = () => console.log("open");
  socket.onmessage = ({ data }) => {
    arrivals.push([JSON.parse(data).line, performance.timeOrigin + performance.now()].join(" "));
    if (arrivals.length === Number(count)) console.log(arrivals.join("\\n"));
  };
`;

test("the kernel's word reaches a client: latency", async () => {
  const lines = Array.from({ length: 4 }, freshLine);
  const flashes = 20;
  const count = flashes * lines.length;
  await agent.put("/tmp/listener.js", LISTENER);
  const url = `ws://127.0.0.1:${GUEST_WEBSOCKET_PORT}/ws?types=flash`;
  await agent.sh(
    `BUN_BE_BUN=1 dahdi-phone-api run /tmp/listener.js '${url}' ${count} </dev/null >/tmp/arrivals 2>&1 & echo $! >/tmp/listener`,
  );
  const said = (): Promise<string[]> => agent.text("/tmp/arrivals").then((text) => text.trim().split("\n"));
  await eventually(said, ([first]) => first === "open");
  await Promise.all(
    lines.map(async ({ phone }) => {
      await phone.lift();
      await phone.clear("hook");
      await phone.hookScript("0:230 1:170 ".repeat(flashes));
    }),
  );
  const [, ...rows] = await eventually(said, (rows) => rows.length === 1 + count);
  await agent.sh("kill $(cat /tmp/listener)");
  const latencies: number[] = [];
  for (const { phone, line } of lines) {
    const arrivals = rows.map((row) => row.split(" ").map(Number)).filter(([of]) => of === line);
    const closed = (await phone.edges("hook")).filter(({ on }) => on);
    for (const [i, { ns }] of closed.entries())
      latencies.push((arrivals[i]?.[1] ?? Number.NaN) - (await wallMs(ns)) - DEBOUNCE_MS);
    await phone.hangUp();
  }
  latencies.sort((a, b) => a - b);
  const at = (share: number): number => latencies[Math.floor(share * (latencies.length - 1))] ?? Number.NaN;
  measured("event latency, kernel to client at 500 MIPS, p50", at(0.5), "ms");
  measured("event latency, kernel to client at 500 MIPS, p95", at(0.95), "ms");
  expect(latencies.length).toBe(count);
  expect(at(0)).toBeGreaterThan(-1);
  expect(at(0.5)).toBeLessThan(20);
}, 120_000);

test("unplugged while ringing and while playing; plugged in, every line is back by itself within 2 s", async () => {
  const ringing = freshLine();
  const playing = freshLine();
  using rung = await EventListener.open(ringing.events);
  using played = await EventListener.open(playing.events);
  await playing.phone.lift();
  await post(`${playing.url}/generate-tone`, { frequency: 440, duration: 30_000 });
  await played.event("playback_started");
  await post(`${ringing.url}/ring`, { pattern: "CONTINUOUS" });
  await rung.event("ring_start");

  await playing.phone.unplug();
  await Promise.all([rung.event("error", { error_code: "card_removed" }), played.event("error")]);
  expect(await rung.event("ring_stop")).toMatchObject({ reason: "error" });
  expect(await played.event("playback_finished")).toMatchObject({ reason: "error" });
  for (const { url } of [ringing, playing]) {
    expect((await get(`${url}/status`)).body.state).toBe("ERROR");
    expect(((await get(`${url}/diagnostics`)).body.hardware as Json).fault).toMatchObject({
      code: "card_removed",
    });
  }
  const { status, body } = await get(`${server().rest}/ready`);
  expect([status, JSON.stringify(body).includes("comes back by itself")]).toEqual([503, true]);
  await eventually(server().log, (log) => log.includes('"code":"card_removed"'));

  const startedAt = performance.now();
  await playing.phone.plug();
  await Promise.all([rung, played].map((events) => events.event("hardware_status", { status: "ready" })));
  const backMs = performance.now() - startedAt;
  measured("plugged in again: back after", backMs, "ms");
  expect(backMs).toBeLessThanOrEqual(2000);
  // The driver tells changes of the hook only: a handset that lay beside it counts from its next lift on.
  await playing.phone.hangUp();
  await playing.phone.lift();
  await playing.phone.hangUp();
  expect((await post(`${ringing.url}/ring`, { pattern: "SINGLE" })).status).toBe(200);
  await rung.event("ring_stop", { reason: "completed" });
});
