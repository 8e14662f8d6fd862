/** A lift that dials a voice bot. */
import { describe, expect, test } from "bun:test";
import { planStream } from "../../../src/streams/stream_request";
import { CLEAN, ended, life, URL_OF_BOT } from "./connected_telephone";
import { withBot } from "./scripted_bot";

describe("hotline", () => {
  const hotline = (onAnswer: boolean) => {
    const checked = planStream({ url: URL_OF_BOT }, null);
    if ("faults" in checked) throw new Error("no hotline");
    return { hotlines: [{ ...checked.planned, line: 1, onAnswer }] };
  };

  test("a lift dials it, also one that answers a ring; each lift anew", async () => {
    const { phone, bot } = await withBot({ engine: CLEAN }, hotline(true));
    for (let lift = 1; lift <= 2; lift++) {
      if (lift === 2) await phone.until(phone.exchange.ring(1, {}));
      await phone.until(phone.handsets.lift(1));
      await phone.advance(20);
      expect([bot.dialled.length, phone.exchange.status(1).state]).toEqual([lift, "IN_CALL"]);
      await phone.until(phone.handsets.hangUp(1));
      await phone.advance(1000);
    }
    expect(life(phone)).toContain("stream_stopped:hung_up");
    phone[Symbol.dispose]();
  });

  test("no dial tone is heard, where lifted telephones have one", async () => {
    const lineSettings = { dialTone: { timeoutMs: 20_000 }, offHookTimeout: null };
    const { phone, bot } = await withBot({ engine: CLEAN, lineSettings }, hotline(true));
    await phone.until(phone.handsets.lift(1));
    await phone.advance(1500);
    expect([bot.dialled.length, phone.handsets.ear(1, 1).every((sample) => sample === 0)]).toEqual([1, true]);
    phone[Symbol.dispose]();
  });

  test("not where the lift answers a ring and that is not wanted", async () => {
    const { phone, bot } = await withBot({ engine: CLEAN }, hotline(false));
    await phone.until(phone.exchange.ring(1, {}));
    await phone.until(phone.handsets.lift(1));
    await phone.advance(100);
    expect(bot.dialled.length).toBe(0);
    phone[Symbol.dispose]();
  });

  test("no bot there, or gone: the reorder tone, until the telephone is hung up or a client plays", async () => {
    const { phone, bot } = await withBot({ engine: CLEAN }, hotline(true));
    bot.unreachable = "cannot be reached (ECONNREFUSED)";
    await phone.until(phone.handsets.lift(1));
    await phone.advance(2000);
    expect(ended(phone)).toMatchObject({ reason: "connect_failed", detail: bot.unreachable });
    const tone = phone.handsets.ear(1, 1);
    expect(tone.some((sample) => sample !== 0)).toBe(true);
    phone.exchange.tone(1, { frequenciesHz: [1000], durationMs: 100 });
    await phone.advance(1000);
    await phone.advance(2000);
    expect(phone.handsets.ear(1, 1).every((sample) => sample === 0)).toBe(true);
    await phone.until(phone.handsets.hangUp(1));
    await phone.advance(1000);
    bot.unreachable = null;
    await phone.until(phone.handsets.lift(1));
    await phone.advance(500);
    expect(phone.handsets.ear(1, 0.4).every((sample) => sample === 0)).toBe(true);
    bot.events.closed("bot_closed", null);
    await phone.advance(1000);
    expect(phone.handsets.ear(1, 0.9).some((sample) => sample !== 0)).toBe(true);
    await phone.advance(35_000);
    expect(phone.handsets.ear(1, 1).every((sample) => sample === 0)).toBe(true);
    phone[Symbol.dispose]();
  });

  test("a client that stops it leaves no tone; one that waited for the lift was there first", async () => {
    const { phone, bot, bots } = await withBot({ engine: CLEAN }, hotline(true));
    await phone.until(phone.handsets.lift(1));
    await phone.advance(100);
    await bots.stop(1);
    await phone.advance(1500);
    expect(phone.handsets.ear(1, 1).every((sample) => sample === 0)).toBe(true);
    await phone.until(phone.handsets.hangUp(1));
    await phone.advance(1000);
    bots.open(1, { url: "ws://other.example/", when: "off_hook" });
    await phone.until(phone.handsets.lift(1));
    await phone.advance(100);
    expect(bot.dialled.map(({ url }) => url.hostname)).toEqual(["127.0.0.1", "other.example"]);
    phone[Symbol.dispose]();
  });
});
