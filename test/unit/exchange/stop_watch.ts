/** What a stop-watch beside a ringing telephone shows. */
import { expect } from "bun:test";
import type { RingRequest } from "../../../src/exchange/verbs";
import { rmsDbm0 } from "../../support/level";
import type { Stepped } from "../../support/stepped";

export const CLEAN = { SimCompanding: 0, SimNoiseCdbm0: -9000 } as const;
export const CALLER = { name: "Zoë Müller", number: "+1 202-555-0100" };

/** What a stop-watch beside the telephone would show, in ms since the ring was asked for. */
interface Observed {
  bell: { atMs: number; on: boolean }[];
  /** The first and the last 10 ms with sound in them, on-hook. */
  sound: { fromMs: number; toMs: number } | null;
  reversedMs: number[];
}

export const SLICE_MS = 10;
/** One block of 20 ms is heard at its end. */
export const BLOCK_MS = 20;

export async function observe(phone: Stepped, forMs: number, each: (atMs: number) => void = () => undefined) {
  const seen: Observed = { bell: [], sound: null, reversedMs: [] };
  // What was heard before stays the newest until more is.
  let heard = phone.handsets.ear(1, 0.02).join();
  for (let atMs = SLICE_MS; atMs <= forMs; atMs += SLICE_MS) {
    await phone.advance(SLICE_MS);
    each(atMs);
    const { bell, polarity_reversed } = phone.handsets.telephone(1);
    if (bell.ringing !== (seen.bell.at(-1)?.on ?? false)) seen.bell.push({ atMs, on: bell.ringing });
    if (polarity_reversed) seen.reversedMs.push(atMs);
    const newest = phone.handsets.ear(1, 0.02);
    if (newest.join() !== heard && rmsDbm0(newest) > -40) {
      seen.sound ??= { fromMs: atMs - BLOCK_MS, toMs: atMs };
      seen.sound.toMs = atMs;
    }
    heard = newest.join();
  }
  return seen;
}

export async function ringing(phone: Stepped, request: RingRequest, forMs: number): Promise<Observed> {
  const asked = phone.exchange.ring(1, request);
  asked.catch(() => undefined);
  const seen = await observe(phone, forMs);
  await asked;
  return seen;
}

/** Bursts and silences in turn; the first began within the first slice. */
export function expectBursts({ bell }: Observed, expectedMs: number[]): void {
  const lastedMs = bell.slice(1).map(({ atMs }, i) => atMs - (bell[i]?.atMs as number));
  expect(lastedMs).toHaveLength(expectedMs.length);
  for (const [i, ms] of lastedMs.entries()) {
    expect(Math.abs(ms - (expectedMs[i] as number))).toBeLessThanOrEqual(i === 0 ? SLICE_MS : 0);
  }
}
