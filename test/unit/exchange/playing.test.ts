/** What is played into a line, from end to end. */
import { describe, expect, test } from "bun:test";
import { refusal } from "../../support/refusal";
import { find, noise, pcmSource, stepped } from "../../support/stepped";

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
