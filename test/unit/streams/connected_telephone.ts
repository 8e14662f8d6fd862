/** A telephone that talks with a voice bot, and what each hears of the other. */
import { SAMPLE_FORMATS } from "../../../src/audio/sample_format";
import { find, noise, type Stepped } from "../../support/stepped";
import { withBot } from "./scripted_bot";

/** Nothing on the line but what is said, and nothing lost in companding. */
export const CLEAN = { SimEchoCdb: 0, SimNoiseCdbm0: -12000, SimCompanding: 0 } as const;
export const URL_OF_BOT = "ws://127.0.0.1:8765/bot?token=secret";
/** What a card holds unheard, and the jitter buffer before it: where the bot's sound waits at least. */
export const CARD_QUEUE_MS = 60;
const FADE_SAMPLES = 40;

export const { mulaw } = SAMPLE_FORMATS;
/** Noise that µ-law does not change: it can be found again sample for sample. */
export const speech = (samples: number, seed = 1): Int16Array => mulaw.decode(mulaw.encode(noise(samples, seed)));
export const media = (samples: Int16Array) => ({
  event: "media",
  media: { payload: mulaw.encode(samples).toBase64() },
});
export const mark = (name: string) => ({ event: "mark", mark: { name } });
export const marks = (bot: { told(): Record<string, unknown>[] }): unknown[] =>
  bot
    .told()
    .filter(({ event }) => event === "mark")
    .map(({ mark }) => (mark as { name: string }).name);

export async function connected(
  options: Parameters<typeof withBot>[0] = {},
  book: Parameters<typeof withBot>[1] = {},
) {
  const { phone, bot, bots } = await withBot({ engine: CLEAN, ...options }, book);
  await phone.until(phone.handsets.lift(1));
  bots.open(1, { url: URL_OF_BOT, when: "now" });
  await phone.advance(20);
  return { phone, bot, bots };
}
export const heardAt = (phone: Stepped, said: Int16Array): number =>
  find(phone.handsets.ear(1, 30), said.subarray(FADE_SAMPLES));
/** Of the hook and of streams. */
export const life = (phone: Stepped): string[] =>
  phone.types().filter((type) => /^(off_hook|on_hook|stream)/.test(type));
export const ended = (phone: Stepped): unknown =>
  phone.told.findLast(({ body }) => body.type === "stream_stopped")?.body;
