/**
 * Bytes as sound: 1200 bit/s, 8N1, least significant bit first, by frequency shift keying whose phase never jumps.
 *
 *   on-hook    | seizure 300 bits 0101… | mark 180 bits | start 0, 8 bits, stop 1 | … | mark |
 *   off-hook                            | mark  80 bits | start 0, 8 bits, stop 1 | … | mark |
 *
 * When: GR-30-CORE sends the on-hook message after the first burst of ringing, not before SENDING_WINDOW.afterBurstMs
 * have passed since that burst's end, and ends SENDING_WINDOW.beforeBurstMs before the next one. A telephone that is
 * lifted meanwhile must not hear the rest. The off-hook message (type II) follows the telephone's acknowledgement of
 * alert.ts's tone. Without ringing (a waiting message's lamp) the on-hook one comes after 300 ms of quiet battery, in
 * Europe after alert.ts's tone.
 */
import { FULL_SCALE_SINE_DBM0, TELEPHONE_RATE_HZ } from "../source";

export type Modem = keyof typeof MODEMS;

/** Mark is 1, space 0. Bell 202: GR-30-CORE; V.23: EN 300 659-1, EN 300 659-2. */
export const MODEMS = {
  bell202: { markHz: 1200, spaceHz: 2200 },
  v23: { markHz: 1300, spaceHz: 2100 },
} as const;

export const BITS_PER_SECOND = 1200;
/** GR-30-CORE: −13.5 ± 1 dBm; EN 300 659-1: −13.5 ± 1.5 dBm; where the loop begins. */
export const FSK_LEVEL_DBM0 = -13.5;

/** GR-30-CORE 2.2; EN 300 659-1 6.1, EN 300 659-2 6.1: 180 ± 25 and 80 ± 25. */
const PREAMBLE_BITS = { on_hook: { seizure: 300, mark: 180 }, off_hook: { seizure: 0, mark: 80 } } as const;
/** The last stop bit goes on so long, for detectors that look ahead; EN 300 659-1 allows 1 to 10. */
const TRAILING_MARK_BITS = 10;

/** GR-30-CORE: of an on-hook message, after the end of the burst before it and before the start of the next. */
export const SENDING_WINDOW = { afterBurstMs: 500, beforeBurstMs: 200 } as const;

/** hook: of the telephone that is to hear it. */
export function fskSamples(message: Uint8Array, modem: Modem, hook: "on_hook" | "off_hook"): Int16Array {
  const { seizure, mark } = PREAMBLE_BITS[hook];
  const bits: number[] = [];
  for (let i = 0; i < seizure; i++) bits.push(i % 2);
  for (let i = 0; i < mark; i++) bits.push(1);
  for (const byte of message) {
    bits.push(0);
    for (let bit = 0; bit < 8; bit++) bits.push((byte >> bit) & 1);
    bits.push(1);
  }
  for (let i = 0; i < TRAILING_MARK_BITS; i++) bits.push(1);
  return modulate(bits, modem);
}

/** Bits are six and two thirds of a sample long: the phase is exact at every edge, wherever between samples it lies. */
function modulate(bits: readonly number[], modem: Modem): Int16Array {
  const { markHz, spaceHz } = MODEMS[modem];
  const amplitude = 32767 * 10 ** ((FSK_LEVEL_DBM0 - FULL_SCALE_SINE_DBM0) / 20);
  const samples = new Int16Array(Math.ceil((bits.length * TELEPHONE_RATE_HZ) / BITS_PER_SECOND));
  let turnsAtEdge = 0;
  let bit = 0;
  for (let i = 0; i < samples.length; i++) {
    const seconds = i / TELEPHONE_RATE_HZ;
    const hz = (): number => (bits[bit] === 1 ? markHz : spaceHz);
    while ((bit + 1) / BITS_PER_SECOND <= seconds) {
      turnsAtEdge = (turnsAtEdge + hz() / BITS_PER_SECOND) % 1;
      bit++;
    }
    const turns = turnsAtEdge + hz() * (seconds - bit / BITS_PER_SECOND);
    samples[i] = Math.round(amplitude * Math.sin(2 * Math.PI * turns));
  }
  return samples;
}
