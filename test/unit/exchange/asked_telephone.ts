/** A telephone that is asked for digits, or called to be told something. */
import type { PcmSource } from "../../../src/audio/source";
import type { AnnounceVerb } from "../../../src/exchange/announcement";
import type { GatherVerb } from "../../../src/exchange/gather";
import { noise, pcmSource, type Stepped, stepped } from "../../support/stepped";

export const KEYS = { onMs: 80, offMs: 80, levelDbm0: -10, twistDb: 0 };
/** What is heard is what was played, bit for bit. */
export const CLEAN = { SimEchoCdb: 0, SimNoiseCdbm0: -12000, SimCompanding: 0 } as const;

export async function telephone(lifted: boolean, options: Parameters<typeof stepped>[0] = {}) {
  const phone = await stepped({ engine: CLEAN, ...options });
  if (lifted) {
    await phone.until(phone.handsets.lift(1));
    await phone.advance(100);
  }
  return phone;
}

/** A source that says whether it was closed. */
export function watched(samples: Int16Array): PcmSource & { closed: number } {
  const source = { ...pcmSource(samples), closed: 0, close: () => void source.closed++ };
  return source;
}

export const gather = (phone: Stepped, verb: Partial<GatherVerb> = {}) =>
  phone.exchange.gather(1, { prompt: null, loop: 1, when: "now", ...verb });
export const announce = (phone: Stepped, verb: Partial<AnnounceVerb> = {}) =>
  phone.exchange.announce(1, {
    source: pcmSource(noise(8000)),
    loop: 1,
    ring: {},
    whenLifted: "play",
    gather: null,
    ...verb,
  });
/** But what the card says of itself. */
export const types = (phone: Stepped) =>
  phone.types().filter((type) => !/^(hardware_status|voltage_change)/.test(type));
export const told = (phone: Stepped, type: string) => phone.told.filter(({ body }) => body.type === type);
