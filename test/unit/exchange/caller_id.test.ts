/** A caller on a display: what a simulated telephone's ear hears on-hook. */
import { describe, expect, test } from "bun:test";
import type { CallerIdSchemeName } from "../../../src/audio/caller_id/scheme";
import { stepped } from "../../support/stepped";
import { BLOCK_MS, CALLER, CLEAN, expectBursts, observe, ringing, SLICE_MS } from "./stop_watch";

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
