/** A telephone and a voice bot, on a virtual clock: what each hears of the other, and how it ends. */
import { describe, expect, test } from "bun:test";
import { SAMPLE_FORMATS } from "../../../src/audio/sample_format";
import { Refusal } from "../../../src/exchange/verbs";
import { planStream } from "../../../src/streams/stream_request";
import { find, noise, pcmSource, type Stepped } from "../../support/stepped";
import { withBot } from "./scripted_bot";

/** Nothing on the line but what is said, and nothing lost in companding. */
const CLEAN = { SimEchoCdb: 0, SimNoiseCdbm0: -12000, SimCompanding: 0 } as const;
const URL_OF_BOT = "ws://127.0.0.1:8765/bot?token=secret";
/** What a card holds unheard, and the jitter buffer before it: where the bot's sound waits at least. */
const CARD_QUEUE_MS = 60;
const FADE_SAMPLES = 40;

const { mulaw } = SAMPLE_FORMATS;
/** Noise that µ-law does not change: it can be found again sample for sample. */
const speech = (samples: number, seed = 1): Int16Array => mulaw.decode(mulaw.encode(noise(samples, seed)));
const media = (samples: Int16Array) => ({ event: "media", media: { payload: mulaw.encode(samples).toBase64() } });
const mark = (name: string) => ({ event: "mark", mark: { name } });
const marks = (bot: { told(): Record<string, unknown>[] }): unknown[] =>
  bot
    .told()
    .filter(({ event }) => event === "mark")
    .map(({ mark }) => (mark as { name: string }).name);

async function connected(options: Parameters<typeof withBot>[0] = {}, book: Parameters<typeof withBot>[1] = {}) {
  const { phone, bot, bots } = await withBot({ engine: CLEAN, ...options }, book);
  await phone.until(phone.handsets.lift(1));
  bots.open(1, { url: URL_OF_BOT, when: "now" });
  await phone.advance(20);
  return { phone, bot, bots };
}
const heardAt = (phone: Stepped, said: Int16Array): number =>
  find(phone.handsets.ear(1, 30), said.subarray(FADE_SAMPLES));
/** Of the hook and of streams. */
const life = (phone: Stepped): string[] => phone.types().filter((type) => /^(off_hook|on_hook|stream)/.test(type));
const ended = (phone: Stepped): unknown => phone.told.findLast(({ body }) => body.type === "stream_stopped")?.body;
const refusal = (attempt: () => unknown): string => {
  try {
    attempt();
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
  return "worked";
};

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

describe("a stream's life", () => {
  test("the line is IN_CALL while it lasts; hanging up sends stop, and is told before the stream's end", async () => {
    const { phone, bot, bots } = await connected();
    expect(phone.exchange.status(1).state).toBe("IN_CALL");
    await phone.advance(1000);
    await phone.until(phone.handsets.hangUp(1));
    await phone.advance(1000);
    expect(life(phone)).toEqual(["off_hook", "stream_started", "on_hook", "stream_stopped:hung_up"]);
    const told = bot.told();
    expect(told.map(({ event }) => event)).toEqual(["connected", "start", "stop"]);
    expect(told.at(-1)?.sequenceNumber).toBe(`${bot.received.length - 1}`);
    expect([bot.closed, bots.get(1), phone.exchange.status(1).state]).toEqual([true, null, "IDLE"]);
    phone[Symbol.dispose]();
  });

  test("a client stops it: the bot is told, and the line is free for the next", async () => {
    const { phone, bot, bots } = await connected();
    expect(refusal(() => bots.open(1, { url: URL_OF_BOT, when: "now" }))).toBe("stream_active");
    await bots.stop(1);
    expect([bot.told().at(-1)?.event, bot.closed]).toEqual(["stop", true]);
    await expect(bots.stop(1)).rejects.toMatchObject({ code: "no_stream" });
    await phone.advance(20);
    expect(phone.exchange.status(1).state).toBe("OFF_HOOK");
    bots.open(1, { url: URL_OF_BOT, when: "now" });
    await phone.advance(20);
    expect(life(phone)).toEqual(["off_hook", "stream_started", "stream_stopped:completed", "stream_started"]);
    phone[Symbol.dispose]();
  });

  test("a bot that closes ends it, without stop, and what it still had to say is silent", async () => {
    const { phone, bot } = await connected();
    bot.say(media(speech(80_000)));
    bot.say(mark("never"));
    await phone.advance(500);
    bot.events.closed("bot_closed", null);
    await phone.advance(40 + CARD_QUEUE_MS);
    await phone.advance(500);
    expect(phone.handsets.ear(1, 0.5).every((sample) => sample === 0)).toBe(true);
    expect(bot.told().map(({ event }) => event)).toEqual(["connected", "start"]);
    expect(life(phone).at(-1)).toBe("stream_stopped:bot_closed");
    phone[Symbol.dispose]();
  });

  test("garbage ends it with what was wrong", async () => {
    const { phone, bot } = await connected();
    bot.say("hello");
    await phone.advance(20);
    expect(ended(phone)).toMatchObject({ reason: "error", detail: "sent what is no JSON" });
    expect([bot.told().at(-1)?.event, bot.closed]).toEqual(["stop", true]);
    phone[Symbol.dispose]();
  });

  test("a bot that floods is cut; one that says five minutes at once is not, nor one at three times the pace", async () => {
    const { phone, bot, bots } = await connected();
    bot.say(media(new Int16Array(300 * 8000)));
    for (let i = 0; i < 1000; i++) {
      for (let k = 0; k < 3; k++) bot.say(media(new Int16Array(160)));
      await phone.advance(20);
    }
    expect(bots.get(1)?.state).toBe("open");
    for (let i = 0; i < 16_384 && bots.get(1); i++) bot.say({ event: "unknown" });
    await phone.advance(20);
    expect(ended(phone)).toMatchObject({ reason: "error", detail: "sends more than a telephone can hear" });
    phone[Symbol.dispose]();
  });

  test("a bot that does not read is cut before much is kept for it", async () => {
    const { phone, bot } = await connected();
    bot.deaf = true;
    await phone.advance(20_000);
    expect(ended(phone)).toMatchObject({ reason: "bot_unresponsive" });
    const bytes = bot.received.reduce((sum, { length }) => sum + length, 0);
    expect(bytes).toBeLessThan(140 * 1024);
    expect(phone.exchange.status(1).state).toBe("OFF_HOOK");
    phone[Symbol.dispose]();
  });

  test("it waits for a lift where that is wanted, and is dialled only then; dropped, it never was", async () => {
    const { phone, bot, bots } = await withBot({ engine: CLEAN });
    expect(refusal(() => bots.open(1, { url: URL_OF_BOT, when: "now" }))).toBe("line_on_hook");
    expect(bots.open(1, { url: URL_OF_BOT, when: "off_hook" })).toMatchObject({
      state: "waiting",
      startedAtMs: null,
    });
    expect(bots.all()).toHaveLength(1);
    await bots.stop(1);
    await phone.advance(20);
    expect([bot.dialled.length, life(phone).at(-1)]).toEqual([0, "stream_stopped:completed"]);
    bots.open(1, { url: URL_OF_BOT, when: "off_hook" });
    await phone.until(phone.handsets.lift(1));
    await phone.advance(20);
    expect(bots.get(1)).toMatchObject({ state: "open", url: "ws://127.0.0.1:8765/bot?***" });
    expect(bot.dialled[0]?.url.href).toBe(URL_OF_BOT);
    phone[Symbol.dispose]();
  });

  test("hung up while it is being dialled: given up", async () => {
    const { phone, bot, bots } = await withBot({ engine: CLEAN });
    bot.silent = true;
    await phone.until(phone.handsets.lift(1));
    bots.open(1, { url: URL_OF_BOT, when: "now" });
    await phone.advance(100);
    expect(bots.get(1)?.state).toBe("connecting");
    await phone.until(phone.handsets.hangUp(1));
    await phone.advance(1000);
    expect(bot.dialled[0]?.signal.aborted).toBe(true);
    expect(life(phone)).toEqual(["off_hook", "on_hook", "stream_stopped:hung_up"]);
    phone[Symbol.dispose]();
  });

  test("custom parameters and the account are told to the bot; a secret signs the request", async () => {
    const twilioAccountSid = `AC${"a".repeat(32)}`;
    const { phone, bot, bots } = await withBot({}, { twilioAccountSid, twilioAuthToken: "12345" });
    await phone.until(phone.handsets.lift(1));
    bots.open(1, { url: "wss://bot.example/x", customParameters: { name: "Zoë" }, when: "now" });
    await phone.advance(20);
    expect(bot.told()[1]?.start).toMatchObject({
      accountSid: twilioAccountSid,
      customParameters: { name: "Zoë" },
    });
    // echo -n wss://bot.example/x | openssl dgst -sha1 -hmac 12345 -binary | base64
    expect(bot.dialled[0]?.headers["x-twilio-signature"]).toBe("sY8pKXCO7EZiBfONiiSIhDCSSBg=");
    phone[Symbol.dispose]();
  });
});

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
