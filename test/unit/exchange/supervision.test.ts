import { describe, expect, test } from "bun:test";
import type { LineSettings } from "../../../src/line/model";
import { goertzelDbm0, rmsDbm0 } from "../../support/level";
import { find, noise, pcmSource, type Stepped, stepped } from "../../support/stepped";

const CLEAN = { SimCompanding: 0, SimNoiseCdbm0: -9000 } as const;
const KEYS = { onMs: 100, offMs: 100, levelDbm0: -10, twistDb: 0 };
const DIAL_TONE: LineSettings = { dialTone: { timeoutMs: 20_000 }, offHookTimeout: null };

/** The newest 200 ms at the ear. */
const heard = (phone: Stepped): Int16Array => phone.handsets.ear(1, 0.2);
const silent = (phone: Stepped): boolean => rmsDbm0(heard(phone)) < -55;

describe("dial tone", () => {
  test("is heard on lifting in the zone's frequency, told by no event, and stops while the first key is down", async () => {
    using phone = await stepped({ engine: CLEAN, lineSettings: DIAL_TONE, toneZone: "de" });
    await phone.until(phone.handsets.lift(1));
    await phone.advance(12_000); // longer than the ring of samples
    expect(goertzelDbm0(heard(phone), 425)).toBeCloseTo(-10, 0);
    const press = phone.handsets.press(1, { ...KEYS, digits: "5", onMs: 1000 });
    await phone.advance(600);
    expect(goertzelDbm0(heard(phone), 425)).toBeLessThan(-50);
    expect(phone.exchange.status(1).lastDtmf).toBeNull();
    await phone.until(press);
    await phone.advance(1000);
    expect(silent(phone)).toBe(true);
    expect(phone.types().filter((type) => type !== "voltage_change")).toEqual([
      "hardware_status",
      "off_hook",
      "dtmf",
    ]);
    expect(phone.exchange.diagnostics(1).io.playout_underruns).toBe(0);
  });

  test("stops as the dial begins to turn back", async () => {
    using phone = await stepped({ engine: CLEAN, lineSettings: DIAL_TONE });
    await phone.until(phone.handsets.lift(1));
    await phone.advance(1000);
    const pulses = phone.handsets.pulse(1, "0");
    await phone.advance(500); // of a second
    // The ear hears between the pulses: 40 ms of each 100.
    expect(rmsDbm0(phone.handsets.ear(1, 0.04))).toBeLessThan(-55);
    expect(phone.types()).not.toContain("dtmf");
    await phone.until(pulses);
    await phone.advance(500);
    expect(phone.exchange.status(1).lastDtmf).toBe("0");
  });

  test("gives way to a client at once, whose sound arrives whole", async () => {
    using phone = await stepped({ engine: CLEAN, lineSettings: DIAL_TONE });
    for (const laterMs of [0, 20, 40, 60, 200, 3000]) {
      await phone.until(phone.handsets.lift(1));
      await phone.advance(laterMs);
      const music = noise(1600, laterMs + 1);
      const playback = phone.exchange.play(1, pcmSource(music), { when: "now" });
      expect(await phone.until(playback.finished, 2000)).toEqual({ reason: "completed", heardMs: 200 });
      await phone.advance(40);
      expect(find(phone.handsets.ear(1, 1), music)).toBeGreaterThanOrEqual(0);
      await phone.advance(300);
      expect(silent(phone)).toBe(true);
      await phone.until(phone.handsets.hangUp(1));
      await phone.advance(1500);
    }
    expect(phone.types().filter((type) => type === "playback_started")).toHaveLength(6);
  });

  test("is not heard where something waited for the lift, nor after an answer", async () => {
    using phone = await stepped({ engine: CLEAN, lineSettings: DIAL_TONE });
    const music = noise(16_000);
    const waiting = phone.exchange.play(1, pcmSource(music), { when: "off_hook" });
    await phone.until(phone.handsets.lift(1));
    expect(await phone.until(waiting.finished)).toEqual({ reason: "completed", heardMs: 2000 });
    await phone.advance(500);
    expect(silent(phone)).toBe(true);
    await phone.until(phone.handsets.hangUp(1));
    await phone.advance(1500);
    await phone.until(phone.exchange.ring(1, {}));
    await phone.until(phone.handsets.lift(1));
    await phone.advance(1000);
    expect(silent(phone)).toBe(true);
  });

  test("is over with hanging up, and new with the next lift", async () => {
    using phone = await stepped({ engine: CLEAN, lineSettings: DIAL_TONE });
    for (let i = 0; i < 3; i++) {
      await phone.until(phone.handsets.lift(1));
      await phone.advance(800);
      expect(goertzelDbm0(heard(phone), 350)).toBeCloseTo(-13, 0);
      await phone.until(phone.handsets.hangUp(1));
      await phone.advance(1500);
    }
    await phone.until(phone.handsets.lift(1));
    await phone.advance(20_500);
    expect(silent(phone)).toBe(true);
  });
});

describe("a telephone left off-hook", () => {
  test("is told once, and hears reorder tone, the howler, silence", async () => {
    const offHookTimeout = { afterMs: 10_000, reorderMs: 3000, howlerMs: 4000 };
    using phone = await stepped({ engine: CLEAN, lineSettings: { dialTone: null, offHookTimeout } });
    await phone.until(phone.handsets.lift(1));
    await phone.advance(9900);
    expect(phone.types()).not.toContain("off_hook_timeout");
    await phone.advance(320);
    expect(phone.told.find(({ body }) => body.type === "off_hook_timeout")?.body).toMatchObject({
      idle_ms: 10_000,
    });
    expect(goertzelDbm0(heard(phone), 620)).toBeGreaterThan(-33);
    await phone.advance(3300);
    expect(goertzelDbm0(heard(phone), 2450)).toBeGreaterThan(-20);
    await phone.advance(4000);
    expect(silent(phone)).toBe(true);
    expect(phone.types().filter((type) => type.startsWith("playback"))).toEqual([]);
    expect(phone.types()).not.toContain("voice");
    // A client may still speak to it.
    const music = noise(1600);
    await phone.until(phone.exchange.play(1, pcmSource(music), { when: "now" }).finished);
    await phone.advance(40);
    expect(find(phone.handsets.ear(1, 1), music)).toBeGreaterThanOrEqual(0);
  });
});
