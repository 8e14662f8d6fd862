/** Announcements on a virtual clock: the ear hears what is said. */
import { describe, expect, test } from "bun:test";
import type { AnnounceVerb } from "../../../src/exchange/announcement";
import type { Refusal } from "../../../src/exchange/verbs";
import { refusal } from "../../support/refusal";
import { find, noise, pcmSource } from "../../support/stepped";
import { announce, gather, KEYS, telephone, told, types, watched } from "./asked_telephone";

describe("announce", () => {
  test("rings, waits for the ear, and is heard", async () => {
    using phone = await telephone(false);
    const said = noise(8000, 9);
    const { finished, announceId } = await phone.until(announce(phone, { source: pcmSource(said) }));
    expect(phone.exchange.status(1).state).toBe("RINGING");
    await phone.advance(3000);
    await phone.until(phone.handsets.lift(1));
    const result = await phone.until(finished);
    expect(result).toMatchObject({
      announceId,
      outcome: "completed",
      heardMs: 1000,
      played: "whole",
      gather: null,
    });
    expect(result.answeredAfterMs).toBeGreaterThan(2900);
    expect(result.answeredAfterMs).toBeLessThan(3100);
    const lift = told(phone, "off_hook")[0]?.atMs ?? 0;
    const first = told(phone, "playback_started")[0]?.atMs ?? 0;
    expect(first - lift).toBeGreaterThanOrEqual(500);
    expect(first - lift).toBeLessThan(600);
    expect(find(phone.handsets.ear(1, 2), said.subarray(0, 7000))).toBeGreaterThanOrEqual(0);
    expect(types(phone)).toEqual([
      "ring_start",
      "ring_stop:answered",
      "off_hook",
      "playback_started",
      "playback_finished:completed",
      "announce_finished",
    ]);
  });

  test("nobody answers", async () => {
    using phone = await telephone(false);
    const source = watched(noise(800));
    const { finished } = await phone.until(announce(phone, { source, maxRingMs: 2500 }));
    expect(await phone.until(finished)).toMatchObject({
      outcome: "not_answered",
      answeredAfterMs: null,
      heardMs: 0,
      played: "none",
    });
    expect(source.closed).toBe(1);
    expect(types(phone)).toEqual(["ring_start", "ring_stop:duration", "announce_finished"]);
    expect(phone.exchange.status(1).state).toBe("IDLE");
    expect(await refusal(() => phone.exchange.stopAnnouncement(1))).toBe("not_announcing");
  });

  test("a bell that rings for a millisecond ends it too", async () => {
    using phone = await telephone(false);
    const { finished } = await phone.until(announce(phone, { maxRingMs: 1 }));
    expect(await phone.until(finished)).toMatchObject({ outcome: "not_answered" });
  });

  test("is hung up on: in the pause, in the middle, and at the digits", async () => {
    for (const [afterMs, outcome, played] of [
      [100, "hung_up", "none"],
      [1200, "hung_up", "part"],
    ] as const) {
      using phone = await telephone(false);
      const source = watched(noise(80_000));
      const { finished } = await phone.until(
        announce(phone, { source, pauseMs: 1500 * Number(played === "none") }),
      );
      await phone.until(phone.handsets.lift(1));
      await phone.advance(afterMs);
      void phone.handsets.hangUp(1);
      const result = await phone.until(finished);
      expect(result).toMatchObject({ outcome, played });
      expect(source.closed).toBe(1);
    }
    using phone = await telephone(false);
    const { finished } = await phone.until(announce(phone, { gather: { maxDigits: 4 } }));
    await phone.until(phone.handsets.lift(1));
    await phone.advance(1800);
    await phone.until(phone.handsets.press(1, { ...KEYS, digits: "12" }));
    void phone.handsets.hangUp(1);
    expect(await phone.until(finished)).toMatchObject({
      outcome: "hung_up",
      played: "whole",
      gather: { digits: "12", reason: "hung_up" },
    });
  });

  test("asks for digits, which may come early", async () => {
    using phone = await telephone(false);
    const source = pcmSource(noise(80_000));
    const { finished } = await phone.until(announce(phone, { source, gather: { pattern: "1|2" } }));
    await phone.until(phone.handsets.lift(1));
    await phone.advance(1500);
    await phone.until(phone.handsets.press(1, { ...KEYS, digits: "2" }));
    const result = await phone.until(finished);
    expect(result).toMatchObject({
      outcome: "completed",
      played: "part",
      gather: { digits: "2", reason: "complete" },
    });
    expect(phone.types().slice(-2)).toEqual(["gather_finished:complete", "announce_finished"]);
  });

  test("a lifted telephone hears it at once, or is busy", async () => {
    using phone = await telephone(true);
    const { finished } = await announce(phone);
    expect(await phone.until(finished)).toMatchObject({
      outcome: "completed",
      answeredAfterMs: null,
      played: "whole",
    });
    expect(phone.types()).not.toContain("ring_start");
    const source = watched(noise(800));
    const busy = await announce(phone, { source, whenLifted: "busy" });
    expect(await busy.finished).toMatchObject({ outcome: "busy", played: "none", heardMs: 0 });
    expect(source.closed).toBe(1);
  });

  test("is stopped: the bell, the pause, the sound, the digits", async () => {
    for (const [lift, ms, played] of [
      [false, 500, "none"],
      [true, 200, "none"],
      [true, 1000, "part"],
    ] as const) {
      using phone = await telephone(false);
      const source = watched(noise(80_000));
      const { finished } = await phone.until(announce(phone, { source }));
      if (lift) await phone.until(phone.handsets.lift(1));
      await phone.advance(ms);
      expect(await phone.until(phone.exchange.stopAnnouncement(1))).toMatchObject({ outcome: "stopped", played });
      expect((await finished).outcome).toBe("stopped");
      expect(source.closed).toBe(1);
      await phone.advance(100);
      expect(phone.exchange.status(1).state).toBe(lift ? "IN_CALL" : "IDLE");
    }
    using phone = await telephone(true);
    const { stop, finished } = await announce(phone, { gather: {} });
    await phone.advance(1500);
    stop();
    stop();
    expect(await phone.until(finished)).toMatchObject({ outcome: "stopped", gather: { reason: "stopped" } });
  });

  test("one at a time, and no gather beside one that collects", async () => {
    using phone = await telephone(true);
    const first = await announce(phone);
    expect(await refusal(() => announce(phone))).toBe("announcement_active");
    await phone.until(first.finished);
    const collecting = gather(phone);
    expect(await refusal(() => announce(phone, { gather: {} }))).toBe("gather_active");
    const beside = await announce(phone);
    expect(await phone.until(beside.finished)).toMatchObject({ outcome: "completed" });
    collecting.stop();
    await collecting.finished;
  });

  test("stopped, it stops its own ring and leaves another client's alone", async () => {
    using phone = await telephone(false);
    const own = await phone.until(announce(phone));
    own.stop();
    expect(await phone.until(own.finished)).toMatchObject({ outcome: "stopped" });
    await phone.advance(300);
    expect(phone.exchange.status(1).state).toBe("IDLE");
    for (const accepted of [true, false]) {
      const replaced = await phone.until(announce(phone));
      const ringing = phone.exchange.ring(1, { pattern: "CONTINUOUS" });
      if (accepted) await phone.until(ringing);
      replaced.stop();
      await phone.until(ringing);
      expect(await phone.until(replaced.finished)).toMatchObject({ outcome: "stopped" });
      await phone.advance(300);
      expect(phone.exchange.status(1).state).toBe("RINGING");
      expect(types(phone).at(-1)).not.toContain("ring_stop");
      await phone.until(phone.exchange.stopRing(1));
      await phone.advance(300);
    }
  });

  test("what another client stops, or a lost line, is told", async () => {
    using phone = await telephone(false);
    const rung = await phone.until(announce(phone));
    await phone.until(phone.exchange.stopRing(1));
    expect(await phone.until(rung.finished)).toMatchObject({ outcome: "not_answered" });
    const lost = await phone.until(announce(phone));
    await phone.advance(300);
    void phone.handsets.plug(1, false);
    expect(await phone.until(lost.finished)).toMatchObject({ outcome: "error" });
  });

  test.each<[Partial<AnnounceVerb>, string]>([
    [{ maxRingMs: 0 }, "max_ring_seconds"],
    [{ pauseMs: -1 }, "pause_ms"],
    [{ ring: { pattern: "LOUD" } }, "ring_pattern"],
    [{ gather: { maxDigits: 0 } }, "gather.max_digits"],
  ])("refuses %p and rings nobody", async (verb, field) => {
    using phone = await telephone(false);
    try {
      await announce(phone, verb);
      throw new Error("it was taken");
    } catch (error) {
      expect((error as Refusal).fields?.map((each) => each.field)).toEqual([field]);
    }
    await phone.advance(500);
    expect(types(phone)).toEqual([]);
    await phone.until(announce(phone)); // and the next one works
  });
});
