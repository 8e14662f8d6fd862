/** A waiting call and a waiting message: what a telephone's ear and its lamp are told. */
import { describe, expect, test } from "bun:test";
import { ALERT_HZ } from "../../../src/audio/caller_id/alert";
import { goertzelDbm0, rmsDbm0 } from "../../support/level";
import { noise, pcmSource, type Stepped, stepped } from "../../support/stepped";
import { BLOCK_MS, CALLER, CLEAN, observe, ringing } from "./stop_watch";

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
