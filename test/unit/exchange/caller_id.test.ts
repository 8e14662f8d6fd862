/** A caller on a display, a waiting call, a waiting message: what a simulated telephone's ear hears on-hook and off. */
import { describe, expect, test } from "bun:test";
import { ALERT_HZ } from "../../../src/audio/caller_id/alert";
import type { CallerIdSchemeName } from "../../../src/audio/caller_id/scheme";
import type { RingRequest } from "../../../src/exchange/verbs";
import { goertzelDbm0, rmsDbm0 } from "../../support/level";
import { noise, pcmSource, type Stepped, stepped } from "../../support/stepped";

const CLEAN = { SimCompanding: 0, SimNoiseCdbm0: -9000 } as const;
const CALLER = { name: "Zoë Müller", number: "+1 202-555-0100" };

/** What a stop-watch beside the telephone would show, in ms since the ring was asked for. */
interface Observed {
  bell: { atMs: number; on: boolean }[];
  /** The first and the last 10 ms with sound in them, on-hook. */
  sound: { fromMs: number; toMs: number } | null;
  reversedMs: number[];
}

const SLICE_MS = 10;
/** One block of 20 ms is heard at its end. */
const BLOCK_MS = 20;

async function observe(phone: Stepped, forMs: number, each: (atMs: number) => void = () => undefined) {
  const seen: Observed = { bell: [], sound: null, reversedMs: [] };
  // What was heard before stays the newest until more is.
  let heard = phone.handsets.ear(1, 0.02).join();
  for (let atMs = SLICE_MS; atMs <= forMs; atMs += SLICE_MS) {
    await phone.advance(SLICE_MS);
    each(atMs);
    const { bell, polarity_reversed } = phone.handsets.telephone(1);
    if (bell.ringing !== (seen.bell.at(-1)?.on ?? false)) seen.bell.push({ atMs, on: bell.ringing });
    if (polarity_reversed) seen.reversedMs.push(atMs);
    const newest = phone.handsets.ear(1, 0.02);
    if (newest.join() !== heard && rmsDbm0(newest) > -40) {
      seen.sound ??= { fromMs: atMs - BLOCK_MS, toMs: atMs };
      seen.sound.toMs = atMs;
    }
    heard = newest.join();
  }
  return seen;
}

async function ringing(phone: Stepped, request: RingRequest, forMs: number): Promise<Observed> {
  const asked = phone.exchange.ring(1, request);
  asked.catch(() => undefined);
  const seen = await observe(phone, forMs);
  await asked;
  return seen;
}

/** Bursts and silences in turn; the first began within the first slice. */
function expectBursts({ bell }: Observed, expectedMs: number[]): void {
  const lastedMs = bell.slice(1).map(({ atMs }, i) => atMs - (bell[i]?.atMs as number));
  expect(lastedMs).toHaveLength(expectedMs.length);
  for (const [i, ms] of lastedMs.entries()) {
    expect(Math.abs(ms - (expectedMs[i] as number))).toBeLessThanOrEqual(i === 0 ? SLICE_MS : 0);
  }
}

describe("a caller ID after a burst", () => {
  test("stands in the first silence: 500 ms after the burst, 200 ms before the next, the bursts as without it", async () => {
    for (const scheme of ["bell202", "bell202_sdmf", "v23"]) {
      using phone = await stepped({ engine: CLEAN, callerIdScheme: scheme });
      const seen = await ringing(phone, { repeat: 3, callerId: CALLER }, 16_000);
      expectBursts(seen, [2000, 4000, 2000, 4000, 2000]);
      const [, off, on] = seen.bell;
      const { fromMs, toMs } = seen.sound as { fromMs: number; toMs: number };
      expect(fromMs - (off?.atMs ?? 0)).toBeGreaterThanOrEqual(500);
      expect(fromMs - (off?.atMs ?? 0)).toBeLessThanOrEqual(600);
      expect((on?.atMs ?? 0) - toMs).toBeGreaterThanOrEqual(200);
      expect(seen.reversedMs).toEqual([]);
      expect(phone.types().slice(-2)).toEqual(["ring_start", "ring_stop:completed"]);
    }
  });

  test("of the longest message still fits NORMAL", async () => {
    using phone = await stepped({ engine: CLEAN });
    const caller = { name: "Fifteen letters", number: "12345678901234567890" };
    const seen = await ringing(phone, { repeat: 2, callerId: caller }, 10_000);
    const [, off, on] = seen.bell;
    expect((seen.sound?.fromMs ?? 0) - (off?.atMs ?? 0)).toBeGreaterThanOrEqual(500);
    expect((on?.atMs ?? 0) - (seen.sound?.toMs ?? 0)).toBeGreaterThanOrEqual(200);
  });

  test("follows the last burst where the pattern has but short silences, and ring_stop comes as ever", async () => {
    using phone = await stepped({ engine: CLEAN });
    const seen = await ringing(phone, { pattern: "DISTINCTIVE1", callerId: CALLER }, 8000);
    expectBursts(seen, [500, 500, 500, 500, 2000]);
    const lastOff = seen.bell.at(-1)?.atMs ?? 0;
    expect((seen.sound?.fromMs ?? 0) - lastOff).toBeGreaterThanOrEqual(500);
    const stopped = phone.told.find(({ body }) => body.type === "ring_stop");
    const started = phone.told.find(({ body }) => body.type === "ring_start");
    expect((stopped?.atMs ?? 0) - (started?.atMs ?? 0)).toBe(4000);
  });

  test("is refused where no silence is long enough, the field named, and nothing rings", async () => {
    using phone = await stepped({ engine: CLEAN });
    for (const callerId of [
      CALLER,
      { number: "no number" },
      { number: "" },
      { number: "1", absent: "private" as const },
    ]) {
      const refused = await phone.exchange.ring(1, { pattern: "CONTINUOUS", callerId }).catch((error) => error);
      expect(refused.code).toBe("invalid_input");
      expect(refused.fields[0].field).toStartWith("caller_id");
    }
    const wrongTime = { number: "1", time: "2026-02-30T12:00" };
    const refused = await phone.exchange.ring(1, { callerId: wrongTime }).catch((error) => error);
    expect(refused.fields[0].field).toBe("caller_id.time");
    expect((await observe(phone, 1000)).bell).toEqual([]);
  });

  test("ends at once with a lift: the ear hears none of the rest", async () => {
    using phone = await stepped({ engine: CLEAN });
    const asked = phone.exchange.ring(1, { repeat: 2, callerId: CALLER });
    let lifted = Promise.resolve();
    const seen = await observe(phone, 6000, (atMs) => {
      if (atMs === 3000) lifted = phone.handsets.lift(1);
    });
    await asked;
    await lifted;
    expect(seen.sound?.toMs).toBeGreaterThan(2900);
    expect(seen.sound?.toMs).toBeLessThanOrEqual(3000 + 2 * BLOCK_MS);
    expect(phone.exchange.status(1).state).toBe("IN_CALL");
  });

  test("ends at once with stop-ring, and the next ring has its own", async () => {
    using phone = await stepped({ engine: CLEAN });
    const asked = phone.exchange.ring(1, { repeat: 2, callerId: CALLER });
    const seen = await observe(phone, 5000, (atMs) => {
      if (atMs === 3000) void phone.exchange.stopRing(1);
    });
    await asked;
    expect(seen.sound?.toMs).toBeLessThanOrEqual(3000 + 2 * BLOCK_MS);
    for (let i = 0; i < 12; i++) {
      // Longer together than the ring of samples: room is given back.
      const again = await ringing(phone, { callerId: CALLER }, 4500);
      expect(again.sound).not.toBeNull();
    }
  });

  test("leaves an ear alone that nothing is sent to", async () => {
    using phone = await stepped({ engine: CLEAN, callerIdScheme: "none" });
    const seen = await ringing(phone, { repeat: 2, callerId: CALLER }, 9000);
    expect(seen.sound).toBeNull();
    expectBursts(seen, [2000, 4000, 2000]);
  });
});

describe("a caller ID before ringing", () => {
  const cases: [CallerIdSchemeName, string][] = [
    ["v23_before_ringing", "gb"],
    ["dtmf_a_c", "se"],
  ];
  for (const [scheme, toneZone] of cases) {
    test(`${scheme}: reversal, sound, 200 ms of quiet, bell; the polarity is back after it`, async () => {
      using phone = await stepped({ engine: CLEAN, toneZone });
      const seen = await ringing(phone, { callerId: CALLER }, 9000);
      const [on] = seen.bell;
      const { fromMs, toMs } = seen.sound as { fromMs: number; toMs: number };
      expect(seen.reversedMs[0]).toBeLessThanOrEqual(SLICE_MS);
      expect(fromMs).toBeGreaterThanOrEqual(100);
      expect((on?.atMs ?? 0) - toMs).toBeGreaterThanOrEqual(200);
      expect((on?.atMs ?? 0) - toMs).toBeLessThanOrEqual(400);
      expectBursts(seen, [2000]);
      expect(seen.reversedMs.at(-1)).toBeLessThanOrEqual(seen.bell[1]?.atMs ?? 0);
      expect(phone.types().slice(-2)).toEqual(["ring_start", "ring_stop:completed"]);
    });
  }

  test("a lift before the bell: no ring, refused, and the line is as it was", async () => {
    using phone = await stepped({ engine: CLEAN, toneZone: "gb" });
    const asked = phone.exchange.ring(1, { callerId: CALLER }).catch((error) => error.code);
    const seen = await observe(phone, 3000, (atMs) => {
      if (atMs === 800) void phone.handsets.lift(1);
    });
    expect(await asked).toBe("line_off_hook");
    expect(seen.bell).toEqual([]);
    expect(seen.sound?.toMs).toBeLessThanOrEqual(800 + 2 * BLOCK_MS);
    expect(phone.handsets.telephone(1).polarity_reversed).toBe(false);
    expect(phone.types()).not.toContain("ring_start");
  });

  test("stopped before the bell: refused as stopped", async () => {
    using phone = await stepped({ engine: CLEAN, toneZone: "gb" });
    const asked = phone.exchange.ring(1, { callerId: CALLER }).catch((error) => error.code);
    await phone.advance(500);
    expect(await phone.until(phone.exchange.stopRing(1))).toEqual({ wasRinging: true });
    expect(await asked).toBe("ring_stopped");
    expect((await observe(phone, 3000)).bell).toEqual([]);
    expect(phone.exchange.status(1).state).toBe("IDLE");
  });
});

describe("a waiting call", () => {
  /** Presses the key when the alert has just been heard, as a telephone does. */
  async function announced(phone: Stepped, key: string | null, delayMs = 40) {
    let answer: unknown;
    const asked = phone.exchange.callWaiting(1, CALLER).then(
      (value) => {
        answer = value;
      },
      (error) => {
        answer = error.code;
      },
    );
    let alertSeen = false;
    let sinceMs = -1;
    for (let ms = 0; answer === undefined && ms < 6000; ms += 10) {
      await phone.advance(10);
      const ear = phone.handsets.ear(1, 0.02);
      const alert = ALERT_HZ.every((hz) => goertzelDbm0(ear, hz) > -20);
      if (alertSeen && !alert && sinceMs < 0) sinceMs = 0;
      else if (sinceMs >= 0) sinceMs += 10;
      if (sinceMs === delayMs && key) {
        void phone.handsets.press(1, { digits: key, onMs: 60, offMs: 0, levelDbm0: -10, twistDb: 0 });
      }
      alertSeen ||= alert;
    }
    await asked;
    return { answer, alertSeen };
  }

  test("is told: tone, alert, the telephone's D, FSK; nobody hears of that key, and a playback goes on after it", async () => {
    using phone = await stepped({ engine: CLEAN });
    await phone.until(phone.handsets.lift(1));
    await phone.advance(500);
    const music = phone.exchange.play(1, pcmSource(noise(40_000)), { when: "now" });
    await phone.advance(1000);
    const { answer, alertSeen } = await announced(phone, "D");
    expect(alertSeen).toBe(true);
    expect(answer).toEqual({ acknowledged: true, callerIdSent: true });
    expect(phone.types()).not.toContain("dtmf");
    expect(phone.types()).not.toContain("playback_finished:completed");
    expect(await phone.until(music.finished)).toEqual({ reason: "completed", heardMs: 5000 });
    // A D that a person presses is a key again.
    await phone.until(phone.handsets.press(1, { digits: "D", onMs: 100, offMs: 100, levelDbm0: -10, twistDb: 0 }));
    await phone.advance(200);
    expect(phone.exchange.status(1).lastDtmf).toBe("D");
  });

  test("is not sent to a telephone that is silent, answers too late, or with another key", async () => {
    for (const [key, delayMs] of [
      [null, 0],
      ["D", 260],
      ["5", 40],
    ] as const) {
      using phone = await stepped({ engine: CLEAN });
      await phone.until(phone.handsets.lift(1));
      await phone.advance(500);
      const { answer } = await announced(phone, key, delayMs);
      expect(answer).toEqual({ acknowledged: false, callerIdSent: false });
      await phone.advance(1000);
      expect(phone.types().filter((type) => type === "dtmf")).toHaveLength(key === null ? 0 : 1);
    }
  });

  test("ends with the telephone hung up, and is refused on-hook and twice at once", async () => {
    using phone = await stepped({ engine: CLEAN });
    const code = async (asked: Promise<unknown>): Promise<string> =>
      asked.then(
        () => "worked",
        (error) => error.code,
      );
    expect(await code(phone.exchange.callWaiting(1, CALLER))).toBe("line_on_hook");
    await phone.until(phone.handsets.lift(1));
    await phone.advance(500);
    const hungUp = phone.handsets.hangUp(1);
    await phone.advance(300); // it may be a flash yet
    const first = code(phone.exchange.callWaiting(1, CALLER));
    await phone.advance(60);
    expect(await code(phone.exchange.callWaiting(1, CALLER))).toBe("call_waiting_busy");
    expect(await phone.until(first)).toBe("line_on_hook");
    await phone.until(hungUp);
    await phone.until(phone.handsets.lift(1));
    await phone.advance(500);
    expect(await phone.until(phone.exchange.callWaiting(1, null))).toEqual({
      acknowledged: null,
      callerIdSent: false,
    });
  });
});

describe("a waiting message", () => {
  const DIAL_TONE = { dialTone: { timeoutMs: 20_000 }, offHookTimeout: null };

  test("stutters the next dial tone and no more when it was heard", async () => {
    using phone = await stepped({ engine: CLEAN, lineSettings: DIAL_TONE });
    expect(phone.exchange.status(1).messageWaiting).toBe(false);
    expect(phone.exchange.messageWaiting(1, { waiting: true, count: 3 })).toMatchObject({
      count: 3,
      stutter: true,
    });
    expect(phone.exchange.status(1).messageWaiting).toBe(true);
    const stutters = async (): Promise<boolean> => {
      await phone.until(phone.handsets.lift(1));
      await phone.advance(1000);
      const ear = phone.handsets.ear(1, 0.9);
      let silentBlocks = 0;
      for (let at = 0; at < ear.length; at += 160) if (rmsDbm0(ear.subarray(at, at + 160)) < -50) silentBlocks++;
      await phone.until(phone.handsets.hangUp(1));
      await phone.advance(1000);
      return silentBlocks > 10;
    };
    expect(await stutters()).toBe(true);
    phone.exchange.messageWaiting(1, { waiting: false });
    expect(await stutters()).toBe(false);
    expect(phone.exchange.status(1).messageWaiting).toBe(false);
  });

  test("tells the lamp a second after the line has fallen idle, whole, once", async () => {
    using phone = await stepped({ engine: { ...CLEAN, VmwiLamps: 1 } });
    await phone.until(phone.handsets.lift(1));
    await phone.advance(500);
    expect(phone.exchange.messageWaiting(1, { waiting: true }).lamp).toEqual(["fsk", "card"]);
    await phone.advance(3000);
    expect(phone.handsets.telephone(1).message_lamp).toBe(false);
    void phone.handsets.hangUp(1);
    const seen = await observe(phone, 5000);
    expect(seen.sound?.fromMs).toBeGreaterThanOrEqual(1000 + 350 - BLOCK_MS);
    expect(seen.sound?.fromMs).toBeLessThanOrEqual(1000 + 450);
    expect(seen.bell).toEqual([]);
    expect(phone.handsets.telephone(1).message_lamp).toBe(true);
    expect((await observe(phone, 5000)).sound).toBeNull();
    phone.exchange.messageWaiting(1, { waiting: false });
    expect((await observe(phone, 4000)).sound).not.toBeNull();
    expect(phone.handsets.telephone(1).message_lamp).toBe(false);
  });

  test("is told again where a lift cut it off, and gives way to a ring", async () => {
    using phone = await stepped({ engine: CLEAN });
    phone.exchange.messageWaiting(1, { waiting: true });
    let lifted = false;
    const first = await observe(phone, 2500, () => {
      const [newest] = phone.handsets.ear(1, 0.001);
      if (lifted || newest === undefined || rmsDbm0(phone.handsets.ear(1, 0.02)) < -40) return;
      lifted = true;
      void phone.handsets.lift(1);
    });
    expect(first.sound).not.toBeNull();
    await phone.until(phone.handsets.hangUp(1));
    const ring = await ringing(phone, { callerId: CALLER }, 500);
    expect(ring.bell).toHaveLength(1);
    const after = await observe(phone, 8000);
    // The caller's ID in the silence after the burst, then the lamp's.
    expect((after.sound?.toMs ?? 0) - (after.sound?.fromMs ?? 0)).toBeGreaterThan(1500);
    expect((await observe(phone, 4000)).sound).toBeNull();
  });

  test("takes no count that does not fit", async () => {
    using phone = await stepped();
    for (const request of [
      { waiting: true, count: 0 },
      { waiting: false, count: 2 },
      { waiting: true, count: 1000 },
    ]) {
      expect(() => phone.exchange.messageWaiting(1, request)).toThrow("count");
    }
    expect(phone.exchange.status(1).messageWaiting).toBe(false);
  });
});
