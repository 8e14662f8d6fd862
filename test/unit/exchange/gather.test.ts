/** Digits and announcements on a virtual clock: real detectors hear the keys, and the ear what is said. */
import { describe, expect, test } from "bun:test";
import type { PcmSource } from "../../../src/audio/source";
import type { DriverEvent } from "../../../src/driver/decode";
import type { AnnounceVerb } from "../../../src/exchange/announcement";
import { Announcer, type AnnouncerDependencies } from "../../../src/exchange/announcer";
import type { GatherVerb } from "../../../src/exchange/gather";
import { Gatherer } from "../../../src/exchange/gatherer";
import type { Playback } from "../../../src/exchange/playback";
import { Refusal } from "../../../src/exchange/verbs";
import type { LineSettings } from "../../../src/line/model";
import { find, noise, pcmSource, type Stepped, stepped } from "../../support/stepped";

const KEYS = { onMs: 80, offMs: 80, levelDbm0: -10, twistDb: 0 };
/** What is heard is what was played, bit for bit. */
const CLEAN = { SimEchoCdb: 0, SimNoiseCdbm0: -12000, SimCompanding: 0 } as const;

const refusal = async (attempt: () => unknown): Promise<string> => {
  try {
    await attempt();
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
  return "worked";
};

async function telephone(lifted: boolean, options: Parameters<typeof stepped>[0] = {}) {
  const phone = await stepped({ engine: CLEAN, ...options });
  if (lifted) {
    await phone.until(phone.handsets.lift(1));
    await phone.advance(100);
  }
  return phone;
}

/** A source that says whether it was closed. */
function watched(samples: Int16Array): PcmSource & { closed: number } {
  const source = { ...pcmSource(samples), closed: 0, close: () => void source.closed++ };
  return source;
}

const gather = (phone: Stepped, verb: Partial<GatherVerb> = {}) =>
  phone.exchange.gather(1, { prompt: null, loop: 1, when: "now", ...verb });
const announce = (phone: Stepped, verb: Partial<AnnounceVerb> = {}) =>
  phone.exchange.announce(1, {
    source: pcmSource(noise(8000)),
    loop: 1,
    ring: {},
    whenLifted: "play",
    gather: null,
    ...verb,
  });
/** But what the card says of itself. */
const types = (phone: Stepped) => phone.types().filter((type) => !/^(hardware_status|voltage_change)/.test(type));
const told = (phone: Stepped, type: string) => phone.told.filter(({ body }) => body.type === type);

describe("gather", () => {
  test("keys, and the key that ends them", async () => {
    using phone = await telephone(true);
    const { gatherId, finished } = gather(phone);
    await phone.until(phone.handsets.press(1, { ...KEYS, digits: "0815#" }));
    const result = await phone.until(finished);
    expect(result).toMatchObject({
      gatherId,
      digits: "0815",
      reason: "finish_key",
      finishKey: "#",
      played: "none",
    });
    expect(phone.types().filter((type) => type.startsWith("dtmf"))).toHaveLength(5);
    expect(phone.types().at(-1)).toBe("gather_finished:finish_key");
    expect(await refusal(() => phone.exchange.stopGather(1))).toBe("not_gathering");
  });

  test("a dial is as good, however long it turns", async () => {
    using phone = await telephone(true);
    // A zero takes a second to turn back: more than the timeout.
    const { finished } = gather(phone, { maxDigits: 2, timeoutMs: 300, interDigitTimeoutMs: 900 });
    const result = await phone.until(
      (async () => {
        await phone.handsets.pulse(1, "01");
        return finished;
      })(),
    );
    expect(result).toMatchObject({ digits: "01", reason: "complete" });
  });

  test("times out when it should, and not before the last key could be told", async () => {
    using phone = await telephone(true);
    const first = gather(phone, { timeoutMs: 1000 });
    expect(await phone.until(first.finished)).toMatchObject({ digits: "", reason: "timeout" });
    const { durationMs } = await first.finished;
    expect(durationMs).toBeGreaterThanOrEqual(1100);
    expect(durationMs).toBeLessThanOrEqual(1140);

    const second = gather(phone, { timeoutMs: 1000, interDigitTimeoutMs: 500 });
    await phone.advance(960);
    // Goes down in time, is told after it.
    await phone.until(phone.handsets.press(1, { ...KEYS, digits: "5" }));
    expect(await phone.until(second.finished)).toMatchObject({ digits: "5", reason: "timeout" });
  });

  test("the first key stops the prompt at once, and counts", async () => {
    using phone = await telephone(true);
    const prompt = watched(noise(80_000));
    const { finished } = gather(phone, { prompt, maxDigits: 2 });
    await phone.advance(1000);
    await phone.until(phone.handsets.press(1, { ...KEYS, digits: "42" }));
    const result = await phone.until(finished);
    expect(result).toMatchObject({ digits: "42", reason: "complete", played: "part" });
    expect(result.heardMs).toBeGreaterThan(900);
    expect(result.heardMs).toBeLessThan(1200);
    expect(prompt.closed).toBe(1);
    expect(types(phone).slice(-4)).toEqual([
      "playback_finished:barged",
      "dtmf",
      "dtmf",
      "gather_finished:complete",
    ]);
  });

  test("a prompt that nothing may stop is heard whole; then the time begins", async () => {
    using phone = await telephone(true);
    const { finished } = gather(phone, {
      prompt: pcmSource(noise(16_000)),
      bargeIn: "none",
      timeoutMs: 1000,
      maxDigits: 1,
    });
    await phone.advance(300);
    await phone.until(phone.handsets.press(1, { ...KEYS, digits: "7" }));
    await phone.advance(1600);
    await phone.until(phone.handsets.press(1, { ...KEYS, digits: "8" }));
    expect(await phone.until(finished)).toMatchObject({ digits: "8", played: "whole", heardMs: 2000 });
  });

  test("a voice stops it where it may", async () => {
    using phone = await telephone(true);
    const { finished } = gather(phone, {
      prompt: pcmSource(new Int16Array(80_000)),
      bargeIn: "any",
      timeoutMs: 800,
    });
    await phone.advance(500);
    await phone.until(phone.handsets.speak(1, pcmSource(noise(8000, 3, 12_000))));
    const result = await phone.until(finished);
    expect(result).toMatchObject({ reason: "timeout", played: "part" });
    expect(result.heardMs).toBeLessThan(1500);
  });

  test("a key drops a prompt that still waits behind something else, which goes on", async () => {
    using phone = await telephone(true);
    const ahead = phone.exchange.play(1, pcmSource(noise(24_000)), { when: "now" });
    const prompt = watched(noise(8000));
    const { finished } = gather(phone, { prompt, maxDigits: 1 });
    await phone.advance(500);
    await phone.until(phone.handsets.press(1, { ...KEYS, digits: "6" }));
    expect(await phone.until(finished)).toMatchObject({ digits: "6", reason: "complete", played: "none" });
    expect(prompt.closed).toBe(1);
    expect(await phone.until(ahead.finished)).toMatchObject({ reason: "completed", heardMs: 3000 });
  });

  test("hanging up ends it, with what was pressed; a prompt that waits is closed", async () => {
    using phone = await telephone(true);
    phone.exchange.play(1, pcmSource(noise(80_000)), { when: "now" });
    const prompt = watched(noise(800));
    const { finished } = gather(phone, { prompt, bargeIn: "none" });
    await phone.advance(500);
    void phone.handsets.hangUp(1);
    expect(await phone.until(finished)).toMatchObject({
      digits: "",
      reason: "hung_up",
      played: "none",
      heardMs: 0,
    });
    expect(prompt.closed).toBe(1);
    expect(phone.exchange.status(1).state).toBe("IDLE");
  });

  test("one at a time; stop gives what there is", async () => {
    using phone = await telephone(true);
    const { finished } = gather(phone, { prompt: pcmSource(noise(80_000)) });
    expect(await refusal(() => gather(phone))).toBe("gather_active");
    await phone.advance(200);
    await phone.until(phone.handsets.press(1, { ...KEYS, digits: "9" }));
    const stopped = phone.exchange.stopGather(1);
    expect(await phone.until(stopped)).toMatchObject({ digits: "9", reason: "stopped" });
    expect(await finished).toEqual(await stopped);
    const second = gather(phone, { prompt: pcmSource(noise(80_000)) });
    await phone.advance(1000);
    second.stop();
    const { played, heardMs } = await phone.until(second.finished);
    expect(played).toBe("part");
    expect(heardMs).toBeLessThan(1100);
  });

  test("waits for the lift, or for the answer, which may not come", async () => {
    using phone = await telephone(false);
    expect(await refusal(() => gather(phone))).toBe("line_on_hook");
    const waiting = gather(phone, { when: "off_hook", maxDigits: 1, timeoutMs: 500 });
    await phone.advance(5000);
    await phone.until(phone.handsets.lift(1));
    await phone.until(phone.handsets.press(1, { ...KEYS, digits: "3" }));
    expect(await phone.until(waiting.finished)).toMatchObject({ digits: "3", reason: "complete" });
    await phone.until(phone.handsets.hangUp(1));

    await phone.until(phone.exchange.ring(1, { durationMs: 2000 }));
    const prompt = watched(noise(800));
    const unanswered = gather(phone, { prompt });
    expect(await phone.until(unanswered.finished)).toMatchObject({ reason: "cancelled", played: "none" });
    expect(prompt.closed).toBe(1);
  });

  test("a line that is lost ends it", async () => {
    using phone = await telephone(true);
    const { finished } = gather(phone, { prompt: pcmSource(noise(80_000)) });
    await phone.advance(200);
    void phone.handsets.plug(1, false);
    expect(await phone.until(finished)).toMatchObject({ reason: "error" });
  });

  test("no tone of ours gets into it, nor is the telephone left off-hook meanwhile", async () => {
    const lineSettings: LineSettings = {
      dialTone: { timeoutMs: 10_000 },
      offHookTimeout: { afterMs: 2000, reorderMs: 1000, howlerMs: 0 },
    };
    using phone = await telephone(true, { lineSettings });
    const { finished } = gather(phone, { timeoutMs: 20_000 });
    await phone.advance(1000);
    const silence = phone.handsets.ear(1, 0.5);
    expect(silence.every((sample) => sample === 0)).toBe(true);
    await phone.advance(18_000);
    expect(phone.types()).not.toContain("off_hook_timeout");
    await phone.until(finished);
    await phone.advance(3000);
    expect(phone.types()).toContain("off_hook_timeout");
  });

  test.each([
    [{ maxDigits: 0 }, "max_digits"],
    [{ maxDigits: 65 }, "max_digits"],
    [{ maxDigits: 1.5 }, "max_digits"],
    [{ finishOnKey: "any" }, "finish_on_key"],
    [{ finishOnKey: "##################" }, "finish_on_key"],
    [{ finishOnKey: "#", pattern: "X.#" }, "finish_on_key"],
    [{ timeoutMs: 5 }, "timeout_ms"],
    [{ timeoutMs: Number.NaN }, "timeout_ms"],
    [{ interDigitTimeoutMs: 1e7 }, "inter_digit_timeout_ms"],
    [{ pattern: "(" }, "pattern"],
  ])("refuses %p", async (verb, field) => {
    using phone = await telephone(true);
    const attempt = () => gather(phone, verb);
    expect(await refusal(attempt)).toBe("invalid_input");
    try {
      attempt();
    } catch (error) {
      expect((error as Refusal).fields.map((each) => each.field)).toEqual([field]);
    }
  });
});

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

/** Told in one go, as when JavaScript stood still: the order is the driver's. */
describe("in the same moment", () => {
  const line = {
    nowNs: () => 0,
    after: () => () => undefined,
    tell: () => undefined,
    stopPlayback: () => undefined,
  };
  const play = (): Playback => {
    throw new Error("nothing is to be heard");
  };

  test("the ring ends, and it is lifted: what waited for the answer is over", async () => {
    const prompt = watched(noise(80));
    const gatherer = new Gatherer({ ...line, play, newGatherId: () => "g", stopUnheard: () => undefined });
    const { finished } = gatherer.gather({ prompt, loop: 1, when: "now" }, "await_answer");
    gatherer.unanswered(false);
    gatherer.lifted();
    expect(await finished).toMatchObject({ reason: "cancelled" });
    expect(prompt.closed).toBe(1);
  });

  const rings = (begin: () => Promise<unknown>) => ({ ring: () => ({ ringId: 1, begun: begin() }) });
  const announcer = (needs: Partial<AnnouncerDependencies>) =>
    new Announcer({
      ...line,
      play,
      newAnnounceId: () => "a",
      lifted: () => false,
      ...rings(async () => undefined),
      stopRing: () => undefined,
      gather: () => {
        throw new Error("nothing is to be collected");
      },
      refuseSecondGather: () => undefined,
      ...needs,
    });
  const verb = { loop: 1, ring: {}, whenLifted: "busy", gather: null } as const;
  const offHook: DriverEvent = { kind: "off_hook", index: 0, atNs: 5, toldNs: 5, trippedRing: false };

  test("it rings, its ring ends, and it is lifted", async () => {
    const each = announcer({
      ...rings(async () => {
        each.unanswered(false);
        each.handle(offHook);
      }),
    });
    const { finished } = await each.announce({ ...verb, source: pcmSource(noise(80)) });
    expect(await finished).toMatchObject({ outcome: "not_answered", answeredAfterMs: null });
  });

  test("it is lifted before the bell can ring", async () => {
    let lifted = false;
    const source = watched(noise(80));
    const each = announcer({
      lifted: () => lifted,
      ...rings(async () => {
        lifted = true;
        each.handle(offHook);
        each.unanswered(false);
        throw new Refusal("line_off_hook", "It was just lifted.");
      }),
    });
    const { finished } = await each.announce({ ...verb, source });
    expect(await finished).toMatchObject({ outcome: "busy", answeredAfterMs: null });
    expect(source.closed).toBe(1);
  });

  test("one that the driver refuses to ring for is forgotten", async () => {
    const each = announcer({
      ...rings(async () => {
        each.unanswered(false);
        expect(await refusal(() => each.stop())).toBe("not_announcing");
        throw new Refusal("driver_error", "No.");
      }),
    });
    const source = watched(noise(80));
    expect(await refusal(() => each.announce({ ...verb, source }))).toBe("driver_error");
    expect(source.closed).toBe(0); // whoever brought it closes it
    expect(await refusal(() => each.stop())).toBe("not_announcing");
  });
});

test("the program's end ends both", async () => {
  using phone = await telephone(true, { ports: 2 });
  const collecting = gather(phone);
  const rung = await phone.until(
    phone.exchange.announce(2, {
      source: pcmSource(noise(800)),
      loop: 1,
      ring: {},
      whenLifted: "play",
      gather: null,
    }),
  );
  phone.exchange.endWaits();
  expect((await phone.until(collecting.finished)).reason).toBe("stopped");
  expect((await phone.until(rung.finished)).outcome).toBe("stopped");
});
