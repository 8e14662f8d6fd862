/** What a telephone and a voice bot hear of each other, on a virtual clock. */
import { describe, expect, test } from "bun:test";
import { SAMPLE_FORMATS } from "../../../src/audio/sample_format";
import { find, noise, pcmSource } from "../../support/stepped";
import {
  CARD_QUEUE_MS,
  CLEAN,
  connected,
  heardAt,
  life,
  mark,
  marks,
  media,
  mulaw,
  speech,
} from "./connected_telephone";
import { withBot } from "./scripted_bot";

describe("sound", () => {
  test("what the telephone says reaches the bot every 20 ms without a gap, sample for sample", async () => {
    const { phone, bot, bots } = await connected();
    const said = speech(16_000);
    await phone.until(phone.handsets.speak(1, pcmSource(said)));
    await phone.advance(100);
    const chunks = bot.received
      .map((text) => JSON.parse(text as string))
      .filter(({ event }) => event === "media")
      .map(({ media }) => media as { chunk: string; timestamp: string; payload: string });
    chunks.forEach(({ chunk, timestamp, payload }, i) => {
      expect([chunk, timestamp, payload.length]).toEqual([`${i + 1}`, `${(i + 1) * 20}`, 216]);
    });
    const heard = Int16Array.from(
      chunks.flatMap(({ payload }) => [...mulaw.decode(Buffer.from(payload, "base64"))]),
    );
    expect(find(heard, said)).toBeGreaterThanOrEqual(0);
    expect(bots.get(1)).toMatchObject({ state: "open", sentMs: chunks.length * 20, lostMs: 0 });
    phone[Symbol.dispose]();
  });

  test("ten seconds in one message are heard as they are, and the mark comes when they have been", async () => {
    const { phone, bot, bots } = await connected();
    const said = speech(80_000, 2);
    bot.say(media(said));
    bot.say(mark("all"));
    await phone.advance(9900);
    expect(marks(bot)).toEqual([]);
    expect(bots.get(1)?.bufferedMs).toBeGreaterThan(0);
    await phone.advance(100 + CARD_QUEUE_MS + 100);
    expect(marks(bot)).toEqual(["all"]);
    expect(heardAt(phone, said)).toBeGreaterThanOrEqual(0);
    expect(bots.get(1)).toMatchObject({ receivedMs: 10_000, bufferedMs: 0, underruns: 0, droppedMs: 0 });
    phone[Symbol.dispose]();
  });

  test("each of 500 marks behind its 20 ms is told after it was heard, in order", async () => {
    const { phone, bot } = await connected();
    const said = speech(80_000, 3);
    for (let i = 0; i < 500; i++) {
      bot.say(media(said.subarray(i * 160, (i + 1) * 160)));
      bot.say(mark(`${i}`));
    }
    await phone.advance(5000);
    const half = marks(bot).length;
    expect(half).toBeGreaterThan(240);
    expect(half).toBeLessThanOrEqual(250);
    await phone.advance(5300);
    expect(marks(bot)).toEqual(Array.from({ length: 500 }, (_, i) => `${i}`));
    expect(heardAt(phone, said)).toBeGreaterThanOrEqual(0);
    phone[Symbol.dispose]();
  });

  test("clear silences within 40 ms and what the card holds; its marks come back at once", async () => {
    const { phone, bot } = await connected();
    const said = speech(80_000, 4);
    bot.say(media(said));
    bot.say(mark("never heard"));
    await phone.advance(2000);
    bot.say({ event: "clear" });
    expect(marks(bot)).toEqual(["never heard"]);
    await phone.advance(40 + CARD_QUEUE_MS);
    await phone.advance(1000);
    expect(phone.handsets.ear(1, 1).every((sample) => sample === 0)).toBe(true);
    const after = speech(1600, 5);
    bot.say(media(after));
    bot.say(mark("after"));
    await phone.advance(200 + CARD_QUEUE_MS + 100);
    expect(marks(bot)).toEqual(["never heard", "after"]);
    expect(heardAt(phone, after)).toBeGreaterThanOrEqual(0);
    phone[Symbol.dispose]();
  });

  test("more than half a minute ahead is dropped and counted; it costs no more memory, and marks still come", async () => {
    const { phone, bot, bots } = await connected();
    for (let i = 0; i < 50; i++) bot.say(media(new Int16Array(8000)));
    bot.say(mark("end"));
    expect(bots.get(1)).toMatchObject({ receivedMs: 30_000, droppedMs: 20_000 });
    await phone.advance(30_300);
    expect(marks(bot)).toEqual(["end"]);
    phone[Symbol.dispose]();
  });

  test("keys of both kinds are told", async () => {
    const { phone, bot } = await connected();
    await phone.until(phone.handsets.press(1, { digits: "5", onMs: 100, offMs: 100, levelDbm0: -10, twistDb: 0 }));
    await phone.until(phone.handsets.pulse(1, "3"));
    await phone.advance(1000);
    const digits = bot.told().filter(({ event }) => event === "dtmf");
    expect(digits.map(({ dtmf }) => dtmf)).toEqual([
      { track: "inbound_track", digit: "5" },
      { track: "inbound_track", digit: "3" },
    ]);
    phone[Symbol.dispose]();
  });

  test("an AudioSocket peer hears and is heard; who is ahead is asked to wait, and may go on later", async () => {
    const { phone, bot, bots } = await withBot({ engine: CLEAN });
    await phone.until(phone.handsets.lift(1));
    bots.open(1, { url: "tcp://127.0.0.1:9092", when: "now" });
    await phone.advance(100);
    expect((bot.received[0] as Uint8Array).toHex()).toBe(`010010${"0".repeat(31)}1`);
    const said = noise(25 * 8000, 6);
    const frame = (samples: Int16Array): Uint8Array<ArrayBuffer> => {
      const bytes = new Uint8Array(3 + samples.byteLength);
      bytes.set([0x10, samples.byteLength >> 8, samples.byteLength & 0xff]);
      bytes.set(SAMPLE_FORMATS.slin16.encode(samples), 3);
      return bytes;
    };
    for (let at = 0; at < said.length; at += 8000) bot.events.message(frame(said.subarray(at, at + 8000)));
    expect(bot.paused).toEqual([true]);
    await phone.advance(25_300);
    expect(bot.paused).toEqual([true, false]);
    expect(heardAt(phone, said)).toBeGreaterThanOrEqual(0);
    bot.events.message(new Uint8Array([0, 0, 0]));
    await phone.advance(20);
    expect(life(phone)).toEqual(["off_hook", "stream_started", "stream_stopped:bot_closed"]);
    phone[Symbol.dispose]();
  });
});
