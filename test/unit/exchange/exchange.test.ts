import { describe, expect, test } from "bun:test";
import { Refusal } from "../../../src/exchange/verbs";
import { EPOCH_MS, find, noise, pcmSource, stepped } from "../../support/stepped";

const KEYS = { onMs: 100, offMs: 100, levelDbm0: -10, twistDb: 0 };

const refusal = async (attempt: () => unknown): Promise<string> => {
  try {
    await attempt();
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
  return "worked";
};

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

describe("ringing", () => {
  test("runs its pattern, is told, and ends without the trailing silence", async () => {
    using phone = await stepped();
    await phone.until(phone.exchange.ring(1, { pattern: "TIMER" }));
    expect(phone.exchange.status(1).state).toBe("RINGING");
    await phone.advance(3000);
    expect(phone.handsets.telephone(1).bell).toEqual({ ringing: false, bursts: 3 });
    const [start, stop] = phone.told.filter(({ body }) => body.type.startsWith("ring_"));
    expect(start?.body).toMatchObject({ type: "ring_start", pattern: "TIMER", repeat: 1, duration: null });
    expect(stop?.body).toMatchObject({ type: "ring_stop", reason: "completed" });
    expect(Math.abs((stop?.atMs ?? 0) - (start?.atMs ?? 0) - 1000)).toBeLessThanOrEqual(2);
  });

  test("stops at the duration's cap", async () => {
    using phone = await stepped();
    await phone.until(phone.exchange.ring(1, { durationMs: 7000 }));
    await phone.advance(9000);
    expect(phone.types().slice(-2)).toEqual(["ring_start", "ring_stop:duration"]);
    expect(phone.handsets.telephone(1).bell.bursts).toBe(2);
  });

  test("is ended by a lift, answered, and the call is IN_CALL", async () => {
    using phone = await stepped();
    await phone.until(phone.exchange.ring(1, {}));
    await phone.advance(500);
    await phone.until(phone.handsets.lift(1));
    await phone.advance(100);
    expect(phone.types().slice(-2)).toEqual(["ring_stop:answered", "off_hook"]);
    expect(phone.told.at(-1)?.body).toMatchObject({ answered: true });
    expect(phone.exchange.status(1).state).toBe("IN_CALL");
    expect(phone.handsets.telephone(1).bell.ringing).toBe(false);
  });

  test("stops when told, and an idle line says so", async () => {
    using phone = await stepped();
    expect(await phone.until(phone.exchange.stopRing(1))).toEqual({ wasRinging: false });
    await phone.until(phone.exchange.ring(1, { repeat: 0 }));
    await phone.advance(400);
    expect(await phone.until(phone.exchange.stopRing(1))).toEqual({ wasRinging: true });
    expect(phone.types().slice(-1)).toEqual(["ring_stop:stopped"]);
    expect(phone.exchange.status(1).state).toBe("IDLE");
  });

  test("anew replaces the running one: each start has its stop", async () => {
    using phone = await stepped();
    await phone.until(phone.exchange.ring(1, { repeat: 0 }));
    await phone.advance(400);
    await phone.until(phone.exchange.ring(1, { pattern: "SINGLE" }));
    await phone.advance(2000);
    expect(phone.types().slice(1)).toEqual([
      "ring_start",
      "ring_stop:stopped",
      "ring_start",
      "ring_stop:completed",
    ]);
  });

  test("is refused while lifted, with bad input, on a line that is not there", async () => {
    using phone = await stepped();
    expect(await refusal(() => phone.exchange.ring(1, { pattern: "LOUD" }))).toBe("invalid_input");
    expect(await refusal(() => phone.exchange.ring(7, {}))).toBe("unknown_line");
    await phone.until(phone.handsets.lift(1));
    await phone.advance(40);
    expect(await refusal(() => phone.exchange.ring(1, {}))).toBe("line_off_hook");
    expect(phone.types()).not.toContain("ring_start");
  });
});

describe("playing", () => {
  const plain = { engine: { SimCompanding: 0, SimNoiseCdbm0: -9000 } } as const;

  test("reaches the ear bit for bit, longer than any buffer, and is told from start to end", async () => {
    using phone = await stepped(plain);
    await phone.until(phone.handsets.lift(1));
    await phone.advance(60);
    const music = noise(8000 * 25);
    const playback = phone.exchange.play(1, pcmSource(music), { when: "now" });
    expect(playback).toMatchObject({ durationMs: 25_000, bytes: music.length * 2 });
    expect(await phone.until(playback.finished)).toEqual({ reason: "completed", heardMs: 25_000 });
    await phone.advance(40);
    expect(find(phone.handsets.ear(1, 30), music)).toBeGreaterThanOrEqual(0);
    expect(phone.types().filter((type) => type.startsWith("playback"))).toEqual([
      "playback_started",
      "playback_finished:completed",
    ]);
    // The hybrid's echo of what is played is no voice.
    expect(phone.types()).not.toContain("voice");
    expect(phone.exchange.diagnostics(1).io.playout_underruns).toBe(0);
  });

  test("queues without a gap", async () => {
    using phone = await stepped(plain);
    await phone.until(phone.handsets.lift(1));
    await phone.advance(60);
    const whole = noise(4001);
    phone.exchange.play(1, pcmSource(whole.slice(0, 1003)), { when: "now" });
    const last = phone.exchange.play(1, pcmSource(whole.slice(1003)), { when: "now" });
    await phone.until(last.finished);
    await phone.advance(40);
    expect(find(phone.handsets.ear(1, 5), whole)).toBeGreaterThanOrEqual(0);
  });

  test("waits for the answer while ringing, and ends unheard when nobody answers", async () => {
    using phone = await stepped(plain);
    const music = noise(1600);
    await phone.until(phone.exchange.ring(1, { pattern: "SINGLE" }));
    const unheard = phone.exchange.play(1, pcmSource(music), { when: "now" });
    expect(await phone.until(unheard.finished)).toEqual({ reason: "cancelled", heardMs: 0 });
    await phone.until(phone.exchange.ring(1, {}));
    const heard = phone.exchange.play(1, pcmSource(music), { when: "now" });
    await phone.until(phone.handsets.lift(1));
    expect(await phone.until(heard.finished)).toEqual({ reason: "completed", heardMs: 200 });
    expect(find(phone.handsets.ear(1, 5), music)).toBeGreaterThanOrEqual(0);
  });

  test("is refused on-hook unless it may wait for the lift", async () => {
    using phone = await stepped(plain);
    const music = noise(1600);
    expect(await refusal(() => phone.exchange.play(1, pcmSource(music), { when: "now" }))).toBe("line_on_hook");
    const waiting = phone.exchange.play(1, pcmSource(music), { when: "off_hook" });
    await phone.until(phone.handsets.lift(1));
    expect(await phone.until(waiting.finished)).toEqual({ reason: "completed", heardMs: 200 });
  });

  test("is cut by hanging up, what was heard is told", async () => {
    using phone = await stepped(plain);
    await phone.until(phone.handsets.lift(1));
    await phone.advance(40);
    const playing = phone.exchange.play(1, pcmSource(noise(80_000)), { when: "now" });
    const queued = phone.exchange.play(1, pcmSource(noise(80_000)), { when: "now" });
    await phone.advance(1000);
    await phone.until(phone.handsets.hangUp(1));
    const cut = await phone.until(playing.finished);
    expect(cut.reason).toBe("hung_up");
    // Until the loop opened, not until the driver was sure.
    expect(Math.abs(cut.heardMs - 1000)).toBeLessThanOrEqual(40);
    expect(await phone.until(queued.finished)).toEqual({ reason: "hung_up", heardMs: 0 });
    expect(phone.types()).toContain("playback_finished:hung_up");
  });

  test("has a bound on what may wait", async () => {
    using phone = await stepped(plain);
    const music = noise(160);
    for (let i = 0; i < 32; i++) phone.exchange.play(1, pcmSource(music), { when: "off_hook" });
    expect(await refusal(() => phone.exchange.play(1, pcmSource(music), { when: "off_hook" }))).toBe("queue_full");
  });

  test("a source that breaks ends its playback, and the next one plays", async () => {
    using phone = await stepped(plain);
    await phone.until(phone.handsets.lift(1));
    await phone.advance(60);
    let reads = 0;
    const broken = {
      samples: null,
      read(into: Int16Array): number {
        if (++reads > 3) throw new Error("the file is broken");
        return into.fill(100).length;
      },
    };
    const playing = phone.exchange.play(1, broken, { when: "now" });
    expect((await phone.until(playing.finished)).reason).toBe("error");
    const next = phone.exchange.play(1, pcmSource(noise(1600)), { when: "now" });
    expect(await phone.until(next.finished)).toEqual({ reason: "completed", heardMs: 200 });
  });

  test("an empty source is over at once", async () => {
    using phone = await stepped(plain);
    await phone.until(phone.handsets.lift(1));
    const nothing = phone.exchange.play(1, pcmSource(new Int16Array(0)), { when: "now" });
    expect(await phone.until(nothing.finished)).toEqual({ reason: "completed", heardMs: 0 });
  });
});

describe("the card", () => {
  test("taken away while ringing: ring_stop, error, ERROR; put back: the line is there again", async () => {
    using phone = await stepped();
    await phone.until(phone.exchange.ring(1, { repeat: 0 }));
    await phone.advance(300);
    await phone.until(phone.handsets.plug(1, false));
    await phone.advance(100);
    expect(phone.types().slice(1)).toEqual(["ring_start", "ring_stop:error", "error"]);
    expect(phone.exchange.status(1)).toMatchObject({ state: "ERROR", fault: { code: "card_removed" } });
    expect(await refusal(() => phone.exchange.ring(1, {}))).toBe("line_not_ready");
    await phone.until(phone.handsets.plug(1, true));
    await phone.advance(2000);
    expect(phone.exchange.status(1)).toMatchObject({ state: "IDLE", fault: null });
  });

  test("taken away while playing ends the playback", async () => {
    using phone = await stepped();
    await phone.until(phone.handsets.lift(1));
    await phone.advance(40);
    const playing = phone.exchange.play(1, pcmSource(noise(80_000)), { when: "now" });
    await phone.advance(500);
    await phone.until(phone.handsets.plug(1, false));
    expect((await phone.until(playing.finished)).reason).toBe("error");
    expect(phone.types()).toContain("playback_finished:error");
  });

  test("tells its line voltage, and its change when the telephone is lifted", async () => {
    using phone = await stepped();
    await phone.advance(1500);
    expect(phone.exchange.voltage(1)).toMatchObject({ status: "normal" });
    const idle = phone.exchange.voltage(1).voltage ?? 0;
    expect(idle).toBeGreaterThan(40);
    await phone.until(phone.handsets.lift(1));
    await phone.advance(1500);
    expect(phone.types()).toContain("voltage_change");
    expect(phone.exchange.voltage(1)).toMatchObject({ status: "normal", maxVoltage: idle });
    expect(phone.exchange.voltage(1).minVoltage).toBeLessThan(30);
    await phone.until(phone.handsets.voltage(1, 20));
    await phone.until(phone.handsets.hangUp(1));
    await phone.advance(3000);
    expect(phone.exchange.voltage(1)).toMatchObject({ voltage: 20, status: "low" });
  });
});

describe("a program that stands still", () => {
  test("tells how many events it lost, once", async () => {
    using phone = await stepped();
    expect(phone.exchange.tellStandstills().lost).toBe(0);
    const { shim, handle } = phone.engine;
    for (let i = 0; i < 2500; i++) {
      shim.dshim_sim_hook(handle, 0, 1);
      phone.engine.step(100);
      shim.dshim_sim_hook(handle, 0, 0);
      phone.engine.step(1000);
    }
    const { lost } = phone.exchange.tellStandstills();
    expect(lost).toBeGreaterThan(0);
    expect(phone.exchange.tellStandstills()).toEqual({ lost: 0, trips: 0 });
    expect(phone.told.at(-1)?.body).toEqual({ type: "hardware_status", status: "events_lost", details: { lost } });
  });
});

describe("a watchdog", () => {
  test("stops the bell of a program that stands still, which tells it when it is back", async () => {
    using phone = await stepped();
    await phone.until(phone.exchange.ring(1, { pattern: "CONTINUOUS" }));
    await phone.advance(15_000);
    expect(phone.handsets.telephone(1).bell.ringing).toBe(true);
    phone.engine.step(12_000); // nobody drains
    const { bell } = phone.handsets.telephone(1);
    phone.engine.step(60_000);
    expect(phone.handsets.telephone(1).bell).toEqual({ ringing: false, bursts: bell.bursts });
    expect(phone.types().at(-1)).toBe("ring_start");
    await phone.advance(20);
    expect(phone.types().at(-1)).toBe("ring_stop:error");
    expect(phone.exchange.tellStandstills()).toEqual({ lost: 0, trips: 1 });
    expect(phone.told.at(-1)?.body).toMatchObject({ status: "watchdog", details: { trips: 1 } });
    expect(phone.exchange.tellStandstills().trips).toBe(0);
    expect(phone.exchange.diagnostics(1).engine.watchdog_trips).toBe(1);
    // And it goes on as if nothing had been.
    await phone.until(phone.exchange.ring(1, { pattern: "SINGLE" }));
    await phone.advance(1000);
    expect(phone.types().at(-1)).toBe("ring_stop:completed");
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
