/** Every behaviour of a line that the API promises, against what the far end did, on any real DAHDI card. */
import { expect, test } from "bun:test";
import { EventListener, get, type Json, post } from "../support/client";
import { eventually } from "../support/server";
import { noise } from "../support/stepped";
import { measured } from "./report";
import { address, agent, levelOf, oneServer, wallMs } from "./rig_line";

const { server, freshLine } = oneServer();
const atMs = (event: Json): number => Date.parse(String(event.timestamp));
const worst = (values: number[]): number => Math.max(...values.map(Math.abs));

test("off-hook and on-hook are dated when they happened", async () => {
  const lifts: number[] = [];
  const hangUps: number[] = [];
  for (let i = 0; i < 3; i++) {
    const { phone, events: url } = freshLine();
    using events = await EventListener.open(url);
    await phone.clear("hook");
    await phone.lift();
    const lifted = await events.event("off_hook");
    await phone.hangUp();
    const hungUp = await events.event("on_hook");
    const [up, down] = await phone.edges("hook");
    lifts.push(atMs(lifted) - (await wallMs(up?.ns ?? 0)));
    hangUps.push(atMs(hungUp) - (await wallMs(down?.ns ?? 0)));
  }
  measured("off-hook dated, worst error", worst(lifts), "ms");
  measured("on-hook dated back, worst error", worst(hangUps), "ms");
  expect(worst(lifts)).toBeLessThanOrEqual(50);
  expect(worst(hangUps)).toBeLessThanOrEqual(50);
});

test("a flash is a flash, and as long as it was", async () => {
  const { phone, events: url } = freshLine();
  using events = await EventListener.open(url);
  await phone.lift();
  const errors: number[] = [];
  for (const ms of [250, 500, 700]) {
    await phone.flash(ms);
    const flash = await events.event("flash");
    errors.push((flash.duration as number) - ms);
    events.frames.length = 0;
    await phone.hookScript("1:300");
  }
  await phone.hangUp();
  await events.event("on_hook");
  expect(events.types()).not.toContain("flash");
  measured("flash duration, worst error", worst(errors), "ms");
  expect(worst(errors)).toBeLessThanOrEqual(60);
});

test("pulse digits: every one, at 8, 10 and 16 pulses a second, and how the dial turned", async () => {
  const lines = [8, 10, 16].map((perSecond) => ({ perSecond, ...freshLine() }));
  const speedErrors: number[] = [];
  const breakErrors: number[] = [];
  await Promise.all(
    lines.map(async ({ phone, events: url, perSecond }) => {
      using events = await EventListener.open(`${url}&types=dtmf,on_hook,flash`);
      await phone.lift();
      const breakMs = Math.round(600 / perSecond);
      const makeMs = Math.round(400 / perSecond);
      for (const digit of "1234567890") {
        const train = `0:${breakMs} 1:${makeMs} `.repeat(digit === "0" ? 10 : Number(digit));
        await phone.hookScript(`1:350 ${train} 1:350`);
      }
      await events.event("dtmf", { digit: "0" });
      expect(events.frames.map(({ digit }) => digit).join("")).toBe("1234567890");
      const periodMs = breakMs + makeMs;
      for (const { pulses_per_second: speed, break_ratio_percent: ratio } of events.frames) {
        if (typeof speed === "number") speedErrors.push((speed * periodMs) / 10 - 100);
        if (typeof ratio === "number") breakErrors.push(ratio - (100 * breakMs) / periodMs);
      }
      await phone.hangUp();
    }),
  );
  // Of 27 digits with a period: an emulated machine looks late now and then, and then nothing is told.
  measured("dials' speed, told of 27 digits", speedErrors.length);
  measured("dials' speed, worst error", worst(speedErrors), "%");
  measured("dials' break, told of 27 digits", breakErrors.length);
  measured("dials' break, worst error", worst(breakErrors), "points");
  expect(speedErrors.length).toBeGreaterThanOrEqual(address.guest === "x64" ? 18 : 1);
  // The far end of a local span moves in jiffies of 4 ms: a twentieth of two pulses.
  expect(worst(speedErrors)).toBeLessThanOrEqual(address.card === "local" ? 8 : 5);
  expect(worst(breakErrors)).toBeLessThanOrEqual(8);
}, 120_000);

test("every ring pattern: the bell's bursts are what was asked for", async () => {
  const patterns: { pattern: string; bursts: number[][]; body?: Json; stop?: boolean }[] = [
    { pattern: "NORMAL", bursts: [[2000]] },
    { pattern: "DISTINCTIVE1", bursts: [[500, 500], [500, 500], [2000]] },
    { pattern: "DISTINCTIVE2", bursts: [[500, 500], [2000, 500], [500]] },
    { pattern: "CONTINUOUS", bursts: [[5000, 100], [5000]], body: { repeat: 2 } },
    { pattern: "SINGLE", bursts: [[500]] },
    { pattern: "TIMER", bursts: [[200, 200], [200, 200], [200]] },
    { pattern: "URGENT", bursts: [[300, 300], [300, 300], [300, 300], [300, 300], [300]] },
    {
      pattern: "CUSTOM",
      bursts: [[3000, 150], [100, 1000], [700]],
      body: { custom_pattern: { on_times: [3000, 100, 700], off_times: [150, 1000, 0] } },
    },
  ];
  const bells = patterns.map((ring) => ({ ...ring, ...freshLine() }));
  const listeners: EventListener[] = [];
  // One after another: eight at once would keep a guest of one core from its own timers.
  for (const { pattern, body, url, events, phone } of bells) {
    listeners.push(await EventListener.open(events));
    await phone.clear("bell");
    expect((await post(`${url}/ring`, { pattern, ...body })).status).toBe(200);
  }
  const errors = await Promise.all(
    bells.map(async ({ pattern, bursts, phone }, i) => {
      await listeners[i]?.event("ring_stop", { reason: "completed" });
      // The far end of a local span looks at its bell every 2 ms.
      const edges = await eventually(
        () => phone.edges("bell"),
        (edges) => edges.length >= 2 * bursts.length,
      );
      expect(`${pattern} ${edges.map(({ on }) => Number(on)).join("")}`).toBe(
        `${pattern} ${"10".repeat(bursts.length)}`,
      );
      const expected = bursts.flat();
      const lengths = edges.slice(1).map(({ ns }, i) => (ns - (edges[i]?.ns ?? 0)) / 1e6);
      return worst(lengths.map((ms, i) => ms - (expected[i] ?? 0)));
    }),
  );
  for (const listener of listeners) listener[Symbol.dispose]();
  measured("ring bursts and pauses, worst error", worst(errors), "ms");
  expect(worst(errors)).toBeLessThanOrEqual(20);
});

test("a lift trips the ring at once", async () => {
  const { phone, url, events: eventsUrl } = freshLine();
  using events = await EventListener.open(eventsUrl);
  await post(`${url}/ring`, { pattern: "CONTINUOUS" });
  await phone.hookScript("0:300");
  await phone.clear("hook");
  await phone.lift();
  await events.event("ring_stop", { reason: "answered" });
  expect(await events.event("off_hook")).toMatchObject({ answered: true });
  const [lifted] = await phone.edges("hook");
  const stop = await events.event("ring_stop");
  measured("ring trip: lift to ring_stop", atMs(stop) - (await wallMs(lifted?.ns ?? 0)), "ms");
  await phone.hangUp();
});

test("a ring stopped by command leaves the bell silent", async () => {
  const { phone, url } = freshLine();
  await post(`${url}/ring`, { pattern: "CONTINUOUS" });
  await phone.hookScript("0:200");
  await post(`${url}/stop-ring`);
  await eventually(
    () => phone.edges("bell"),
    (edges) => edges.at(-1)?.on === false,
  );
  await phone.hookScript("0:300");
  expect((await phone.edges("bell")).at(-1)?.on).toBe(false);
});

test("all sixteen keys are heard, with their lengths", async () => {
  const { phone, events: url } = freshLine();
  using events = await EventListener.open(`${url}&types=dtmf`);
  await phone.lift();
  await phone.press("123A456B789C*0#D", { on_ms: 70, off_ms: 70 });
  await events.event("dtmf", { digit: "D" });
  expect(events.frames.map(({ digit }) => digit).join("")).toBe("123A456B789C*0#D");
  const errors = events.frames.map(({ duration }) => (duration as number) - 70);
  measured("DTMF duration, worst error", worst(errors), "ms");
  expect(worst(errors)).toBeLessThanOrEqual(12);
  await phone.hangUp();
});

test("keys and dial tone sent from here arrive at the far end, in frequency and level", async () => {
  const { phone, url } = freshLine();
  await phone.lift();
  const heardWhilePlaying = async (body: Json, frequencies: number[]): Promise<number[]> => {
    // For as long as the guest's clock may run ahead of us.
    expect((await post(`${url}/generate-tone`, { ...body, duration: 60_000 })).status).toBe(200);
    await phone.hookScript("1:700");
    const ear = (await phone.ear(0.2)).slice();
    expect((await post(`${url}/stop-playback`)).body.stopped).toHaveLength(1);
    return frequencies.map((hz) => levelOf(ear, hz));
  };
  const key = await heardWhilePlaying({ frequencies: [697, 1209] }, [697, 1209, 1000]);
  expect(key[0]).toBeGreaterThan(-20);
  expect(key[1]).toBeGreaterThan(-20);
  expect(key[2]).toBeLessThan(-40);
  await phone.hookScript("1:700");
  const dial = await heardWhilePlaying({ tone: "dial" }, [350, 440, 620]);
  expect(dial[0]).toBeGreaterThan(-25);
  expect(dial[1]).toBeGreaterThan(-25);
  expect(dial[2]).toBeLessThan(-40);
  measured("dial tone at the far end, 350 Hz", dial[0] ?? 0, "dBm0");
  await phone.hangUp();
});

test("a voice is heard, and its level", async () => {
  const { phone, events: url } = freshLine();
  using events = await EventListener.open(`${url}&types=voice`);
  await phone.lift();
  await phone.speak(noise(8000, 3, 6000) as Int16Array<ArrayBuffer>);
  expect((await events.event("voice", { active: true })).energy_level).toBeGreaterThan(-30);
  await events.event("voice", { active: false });
  await phone.hangUp();
});

test("a playback that is cut off counts what was heard", async () => {
  const { phone, url, events: eventsUrl } = freshLine();
  using events = await EventListener.open(eventsUrl);
  await phone.lift();
  await post(`${url}/generate-tone`, { frequency: 440, duration: 60_000 });
  const started = await events.event("playback_started");
  await phone.hookScript("1:500");
  await phone.hangUp();
  const finished = await events.event("playback_finished");
  const hungUp = await events.event("on_hook");
  const error = (finished.heard_ms as number) - (atMs(hungUp) - atMs(started));
  measured("heard milliseconds of a cut playback, error", error, "ms");
  expect(Math.abs(error)).toBeLessThanOrEqual(80);
});

test("what the driver cannot do is said, and nothing else fails", async () => {
  const { body } = await get(`${server().rest}/diagnostics`);
  const { capabilities } = body as { capabilities: Json };
  expect(capabilities.voltage).toBe(address.card === "vfxs");
  measured("card says it cancels echo", String(capabilities.echo_cancel));
});

test("hybrid echo of a tone of ours is no key and no voice", async () => {
  const { phone, url, line, events: eventsUrl } = freshLine();
  if (address.card === "vfxs") await agent.put(`/sys/kernel/debug/vfxs/${line}/echo`, "8192");
  using events = await EventListener.open(eventsUrl);
  await phone.lift();
  await post(`${url}/generate-tone?`, { frequencies: [770, 1336], duration: 1500 });
  await events.event("playback_finished");
  await phone.hangUp();
  await events.event("on_hook");
  if (address.card === "vfxs") await agent.put(`/sys/kernel/debug/vfxs/${line}/echo`, "0");
  expect(events.types().filter((type) => type === "dtmf" || type === "voice")).toEqual([]);
});
