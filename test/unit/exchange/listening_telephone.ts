/** A lifted telephone that hears what is played, sample for sample, and how it is asked for. */
import { expect } from "bun:test";
import { KeptSource } from "../../../src/audio/kept_source";
import type { PlayOptions } from "../../../src/exchange/playback";
import type { PcmSource } from "../../../src/exchange/verbs";
import { pcmSource, type Stepped, stepped } from "../../support/stepped";

/** Samples pass as they are. */
const PLAIN = { engine: { SimCompanding: 0, SimNoiseCdbm0: -9000 } } as const;

export async function lifted() {
  const phone = await stepped(PLAIN);
  await phone.until(phone.handsets.lift(1));
  await phone.advance(60);
  const play = (samples: Int16Array | PcmSource, options: Partial<PlayOptions> = {}) =>
    phone.exchange.play(1, samples instanceof Int16Array ? pcmSource(samples) : samples, {
      when: "now",
      ...options,
    });
  return { phone, play, playbacks: phone.exchange.playbacks, [Symbol.dispose]: () => phone[Symbol.dispose]() };
}

export async function whole(samples: Int16Array): Promise<KeptSource> {
  const kept = new KeptSource(pcmSource(samples));
  expect(await kept.gather()).toBe("whole");
  return kept;
}

/** What the ear has heard since the lift, without the silence around it. */
export function heard(phone: Stepped, seconds = 30): Int16Array {
  const ear = phone.handsets.ear(1, seconds);
  const first = ear.findIndex((sample) => sample !== 0);
  const last = ear.findLastIndex((sample) => sample !== 0);
  return first < 0 ? new Int16Array(0) : ear.slice(first, last + 1);
}
