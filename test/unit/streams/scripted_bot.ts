/** A bot without a network: what it is sent is kept, what it says is called. */

import type { LineEventBody } from "../../../src/line/events";
import { ConnectFailure } from "../../../src/streams/bot_address";
import type { BotSocket, BotSocketEvents, ConnectBot, ConnectOptions } from "../../../src/streams/bot_socket";
import type { Wire } from "../../../src/streams/dialect";
import { StreamBook, type StreamBookOptions } from "../../../src/streams/stream_book";
import { EPOCH_MS, type Stepped, stepped } from "../../support/stepped";

export interface ScriptedBot {
  dialled: ConnectOptions[];
  received: Wire[];
  /** Of the twilio dialect, without media. */
  told(): Record<string, unknown>[];
  events: BotSocketEvents;
  say(message: unknown): void;
  closed: boolean;
  /** Its socket does not take any more. */
  deaf: boolean;
  paused: boolean[];
  /** Half a sentence: nobody is reached. */
  unreachable: string | null;
  /** Dialling goes on until it is given up. */
  silent: boolean;
}

export async function withBot(
  options: Parameters<typeof stepped>[0] = {},
  book: Partial<StreamBookOptions> = {},
): Promise<{ phone: Stepped & Disposable; bot: ScriptedBot; bots: StreamBook }> {
  const bot: ScriptedBot = {
    dialled: [],
    received: [],
    told: () =>
      bot.received
        .map((text) => JSON.parse(text as string) as Record<string, unknown>)
        .filter(({ event }) => event !== "media"),
    events: { opened: () => undefined, message: () => undefined, closed: () => undefined },
    say: (message) => bot.events.message(typeof message === "string" ? message : JSON.stringify(message)),
    closed: false,
    deaf: false,
    paused: [],
    unreachable: null,
    silent: false,
  };
  const connect: ConnectBot = async (asked, events) => {
    bot.dialled.push(asked);
    bot.events = events;
    bot.closed = false;
    if (bot.unreachable !== null) throw new ConnectFailure(bot.unreachable);
    if (bot.silent) {
      await new Promise<never>((_, reject) =>
        asked.signal.addEventListener("abort", () => reject(new ConnectFailure("was given up"))),
      );
    }
    let kept = 0;
    const socket: BotSocket = {
      send: (data) => {
        bot.received.push(data);
        if (bot.deaf) kept += data.length;
      },
      bufferedBytes: () => kept,
      pause: (paused) => bot.paused.push(paused),
      close: async () => {
        bot.closed = true;
      },
    };
    events.opened(socket);
  };
  let ids = 0;
  let told = (_line: number, _body: LineEventBody): void => undefined;
  const phone = await stepped({ ...options, published: (line, body) => told(line, body) });
  const nowMs = (): number => EPOCH_MS + phone.engine.nowNs() / 1e6;
  const bots = new StreamBook({
    exchange: phone.exchange,
    connect,
    newStreamId: () => `00000000-0000-0000-0000-${String(++ids).padStart(12, "0")}`,
    nowMs,
    monotonicMs: () => phone.engine.nowNs() / 1e6,
    tell: (line, body) => phone.told.push({ line, atMs: nowMs(), body }),
    policy: { allowPrivate: true, allowLinkLocal: false },
    connectTimeoutMs: 1000,
    pingMs: 1000,
    twilioAccountSid: `AC${"0".repeat(32)}`,
    twilioAuthToken: null,
    userAgent: "test",
    hotlines: [],
    log: { debug: () => {}, info: () => {}, warning: () => {}, error: () => {}, enabled: () => false },
    ...book,
  });
  told = (line, body) => bots.told(line, body);
  return { phone, bot, bots };
}
