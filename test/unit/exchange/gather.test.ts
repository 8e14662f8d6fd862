/** Digits on a virtual clock: real detectors hear the keys. */
import { describe, expect, test } from "bun:test";
import type { Refusal } from "../../../src/exchange/verbs";
import type { LineSettings } from "../../../src/line/model";
import { refusal } from "../../support/refusal";
import { noise, pcmSource } from "../../support/stepped";
import { gather, KEYS, telephone, types, watched } from "./asked_telephone";

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
