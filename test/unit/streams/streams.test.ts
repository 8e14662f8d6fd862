/** A stream of a voice bot, on a virtual clock: its life, and how it ends. */
import { describe, expect, test } from "bun:test";
import { refusal } from "../../support/refusal";
import {
  CARD_QUEUE_MS,
  CLEAN,
  connected,
  ended,
  life,
  mark,
  media,
  speech,
  URL_OF_BOT,
} from "./connected_telephone";
import { withBot } from "./scripted_bot";

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
    expect(await refusal(() => bots.open(1, { url: URL_OF_BOT, when: "now" }))).toBe("stream_active");
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
    expect(await refusal(() => bots.open(1, { url: URL_OF_BOT, when: "now" }))).toBe("line_on_hook");
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
