/**
 * The caller's number as keys: what networks did before FSK, and some still do. EN 300 659-1 annex B and ETSI
 * ES 200 778-1; there is no name and no time in it.
 *
 *   a_c     A 2025550100 C    withheld B10C, not known B00C
 *   a_hash  A 2025550100 #    withheld D1#,  not known D3#
 *   d_c     D 2025550100 C    nothing is sent without a number
 *   hash      2025550100 #    the same
 *
 * When: before the first burst of ringing, after a polarity reversal or a short burst (scheme.ts); 100 ms and more of
 * quiet follow it.
 */
import { TELEPHONE_RATE_HZ } from "../source";
import { tonePair } from "./alert";
import { type CallerId, dialledDigits } from "./message";

export type DtmfFraming = "a_c" | "a_hash" | "d_c" | "hash";

/** EN 300 659-1 annex B: 70 ± 5 ms each. */
export const KEY_MS = 70;
export const PAUSE_MS = 70;
/** ETSI ES 201 235-2: the low group −11, the high group −9. */
const GROUP_LEVELS_DBM0 = [-11, -9] as const;

const KEYS = "123A456B789C*0#D";
const LOW_HZ = [697, 770, 852, 941] as const;
const HIGH_HZ = [1209, 1336, 1477, 1633] as const;

/** The keys to send; empty: nothing. Throws RangeError for a number that is none. */
export function dtmfKeys({ number, absent = "out_of_area" }: CallerId, framing: DtmfFraming): string {
  if (number === undefined) {
    if (framing === "a_c") return absent === "private" ? "B10C" : "B00C";
    if (framing === "a_hash") return absent === "private" ? "D1#" : "D3#";
    return "";
  }
  const digits = dialledDigits(number)?.replaceAll(/[*#]/g, "");
  if (!digits) throw new RangeError(`"${number}" is no telephone number`);
  return { a_c: `A${digits}C`, a_hash: `A${digits}#`, d_c: `D${digits}C`, hash: `${digits}#` }[framing];
}

export function dtmfSamples(keys: string): Int16Array {
  const keySamples = (KEY_MS * TELEPHONE_RATE_HZ) / 1000;
  const periodSamples = keySamples + (PAUSE_MS * TELEPHONE_RATE_HZ) / 1000;
  const samples = new Int16Array(keys.length * periodSamples);
  [...keys].forEach((key, i) => {
    const at = KEYS.indexOf(key);
    const low = LOW_HZ[Math.floor(at / 4)];
    const high = HIGH_HZ[at % 4];
    if (low === undefined || high === undefined) throw new RangeError(`"${key}" is no key`);
    samples.set(tonePair([low, high], GROUP_LEVELS_DBM0, KEY_MS), i * periodSamples);
  });
  return samples;
}
