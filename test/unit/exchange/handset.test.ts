/** What a person does with a telephone, and what is told of it. */
import { describe, expect, test } from "bun:test";
import { refusal } from "../../support/refusal";
import { EPOCH_MS, noise, pcmSource, stepped } from "../../support/stepped";

const KEYS = { onMs: 100, offMs: 100, levelDbm0: -10, twistDb: 0 };

describe("a lifted handset", () => {
  test("is told, and so is its hanging up, at the time when it happened", async () => {
    using phone = await stepped();
    await phone.until(phone.handsets.lift(1));
    await phone.advance(1000);
    expect(phone.exchange.status(1).state).toBe("OFF_HOOK");
    const before = phone.told.length;
    const hungUpAtMs = phone.told.at(-1);
    await phone.until(phone.handsets.hangUp(1));
    await phone.advance(2000);
    expect(phone.exchange.status(1).state).toBe("IDLE");
    const onHook = phone.told.slice(before).find(({ body }) => body.type === "on_hook");
    const offHook = phone.told.find(({ body }) => body.type === "off_hook");
    expect(hungUpAtMs).toBeDefined();
    // Lifted, 1,000 ms later hung up: dated back to the truth although the driver waited for a flash.
    const lastedMs = (onHook?.atMs ?? 0) - (offHook?.atMs ?? 0);
    expect(lastedMs).toBeGreaterThanOrEqual(980);
    expect(lastedMs).toBeLessThanOrEqual(1080);
  });

  test("hung up between two voltage readings, on_hook keeps its true time", async () => {
    using phone = await stepped();
    await phone.until(phone.handsets.lift(1));
    await phone.advance(1700); // the next reading falls into the time in which hanging up might be a flash
    const hungUpAtMs = EPOCH_MS + phone.engine.nowNs() / 1e6;
    await phone.until(phone.handsets.hangUp(1));
    await phone.advance(2000);
    const onHook = phone.told.findIndex(({ body }) => body.type === "on_hook");
    const back = phone.told.findIndex(({ body }) => body.type === "voltage_change" && body.voltage > 40);
    expect(Math.abs((phone.told[onHook]?.atMs ?? 0) - hungUpAtMs)).toBeLessThanOrEqual(20);
    expect(back).toBeGreaterThan(onHook);
  });

  test("sends its keys through the air: each of 16 is heard once", async () => {
    using phone = await stepped();
    await phone.until(phone.handsets.lift(1));
    await phone.until(phone.handsets.press(1, { ...KEYS, digits: "1234567890*#ABCD", onMs: 50, offMs: 50 }));
    await phone.advance(200);
    const { dtmfHistory, callStats } = phone.exchange.status(1);
    expect(dtmfHistory.join("")).toBe("1234567890*#ABCD");
    expect(callStats.dtmfDigitsReceived).toBe(16);
    for (const { body } of phone.told) {
      if (body.type !== "dtmf") continue;
      expect(body.source).toBe("dtmf");
      expect(Math.abs(body.duration - 50)).toBeLessThanOrEqual(12);
      expect(Math.abs((body.signal_level ?? 0) + 10)).toBeLessThanOrEqual(1.5);
    }
  });

  test("dials with pulses", async () => {
    using phone = await stepped();
    await phone.until(phone.handsets.lift(1));
    await phone.advance(300);
    await phone.until(phone.handsets.pulse(1, "190"));
    await phone.advance(1000);
    const pulses = phone.told.filter(({ body }) => body.type === "dtmf" && body.source === "pulse");
    expect(pulses.map(({ body }) => (body.type === "dtmf" ? body.digit : "")).join("")).toBe("190");
    expect(phone.types()).not.toContain("on_hook");
    expect(phone.types()).not.toContain("flash");
  });

  test("dials with dials of all kinds, and how they turn is measured", async () => {
    using phone = await stepped();
    await phone.until(phone.handsets.lift(1));
    await phone.advance(300);
    for (const perSecond of [8, 10, 16, 20]) {
      for (const breakPercent of [50, 60, 70]) {
        const breakMs = Math.round((10 * breakPercent) / perSecond);
        const makeMs = Math.round((10 * (100 - breakPercent)) / perSecond);
        phone.told.length = 0;
        await phone.until(phone.handsets.pulse(1, "1270", { breakMs, makeMs }));
        await phone.advance(500);
        const told = phone.told.flatMap(({ body }) => (body.type === "dtmf" ? [body] : []));
        expect(told.map(({ digit }) => digit).join("")).toBe("1270");
        const [one, ...more] = told;
        // A single pulse has no period.
        expect(one).not.toHaveProperty("pulses_per_second");
        expect(one).not.toHaveProperty("break_ratio_percent");
        for (const { digit, duration, pulses_per_second = 0, break_ratio_percent = 0 } of more) {
          const pulses = digit === "0" ? 10 : Number(digit);
          expect(Math.abs(duration - (pulses * (breakMs + makeMs) - makeMs))).toBeLessThanOrEqual(22);
          expect(Math.abs((pulses_per_second * (breakMs + makeMs)) / 1000 - 1)).toBeLessThanOrEqual(0.02);
          expect(Math.abs(break_ratio_percent - (100 * breakMs) / (breakMs + makeMs))).toBeLessThanOrEqual(2);
        }
      }
    }
  });

  test("flashes", async () => {
    using phone = await stepped();
    await phone.until(phone.handsets.lift(1));
    await phone.advance(300);
    await phone.until(phone.handsets.flash(1, 400));
    await phone.advance(1500);
    const flash = phone.told.find(({ body }) => body.type === "flash");
    if (flash?.body.type !== "flash") throw new Error("no flash");
    expect(Math.abs(flash.body.duration - 400)).toBeLessThanOrEqual(40);
    expect(phone.types()).not.toContain("on_hook");
  });

  test("does not take a key's tone that we play, echoed, for a key", async () => {
    using phone = await stepped({ engine: { SimEchoCdb: 900 } }); // a bad hybrid: 9 dB
    await phone.until(phone.handsets.lift(1));
    await phone.advance(300);
    for (const frequenciesHz of [
      [770, 1336],
      [697, 1209],
    ]) {
      await phone.until(phone.exchange.tone(1, { frequenciesHz, durationMs: 150 }).finished);
      await phone.advance(100);
    }
    await phone.advance(300);
    expect(phone.types()).not.toContain("dtmf");
    expect(phone.types()).not.toContain("voice");
    // A key pressed right after, and the same key, are keys.
    await phone.until(phone.handsets.press(1, { ...KEYS, digits: "51" }));
    await phone.advance(300);
    expect(phone.exchange.status(1).dtmfHistory.join("")).toBe("51");
  });

  test("talks: a talkspurt has a start and an end", async () => {
    using phone = await stepped();
    await phone.until(phone.handsets.lift(1));
    await phone.advance(1000);
    await phone.until(phone.handsets.speak(1, pcmSource(noise(8000, 3, 6000))));
    await phone.advance(2000);
    const voices = phone.told.flatMap(({ body }) => (body.type === "voice" ? [body] : []));
    expect(voices.map(({ active }) => active)).toEqual([true, false]);
    const [start, end] = voices;
    expect(start?.energyLevel).toBeGreaterThan(-50);
    expect(end?.energyLevel).toBeLessThan(-50);
    expect((end?.endMs ?? 0) - (end?.startMs ?? 0)).toBeGreaterThan(700);
  });
});

describe("four telephones at once", () => {
  test("do not hear each other", async () => {
    using phone = await stepped({ ports: 4 });
    await phone.until(phone.handsets.lift(2));
    await phone.until(phone.handsets.lift(4));
    await Promise.all([
      phone.until(phone.handsets.press(2, { ...KEYS, digits: "22" })),
      phone.until(phone.handsets.press(4, { ...KEYS, digits: "444" })),
    ]);
    await phone.advance(300);
    expect(phone.exchange.lines.map((line) => phone.exchange.status(line).dtmfHistory.join(""))).toEqual([
      "",
      "22",
      "",
      "444",
    ]);
    expect(phone.types(1)).toEqual(["hardware_status"]);
  });
});

describe("the handsets", () => {
  test("refuse what a person could not do", async () => {
    using phone = await stepped();
    expect(await refusal(() => phone.handsets.hangUp(1))).toBe("already_in_that_position");
    expect(await refusal(() => phone.handsets.press(1, { ...KEYS, digits: "1" }))).toBe("line_on_hook");
    expect(await refusal(() => phone.handsets.plug(1, true))).toBe("already_in_that_position");
    expect(await refusal(() => phone.handsets.lift(9))).toBe("unknown_line");
    await phone.until(phone.handsets.plug(1, false));
    expect(await refusal(() => phone.handsets.lift(1))).toBe("line_not_ready");
  });

  test("hung up in the middle of a press, the press is refused and does not hang", async () => {
    using phone = await stepped();
    await phone.until(phone.handsets.lift(1));
    const pressing = refusal(() => phone.handsets.press(1, { ...KEYS, digits: "123456789" }));
    await phone.advance(400);
    const hangingUp = phone.handsets.plug(1, false);
    expect(await phone.until(pressing)).toBe("line_on_hook");
    await phone.until(hangingUp);
  });
});
