/**
 * A line's recorded sound as it is said again: blocks of 20 ms at even times, and none while its loop is open, which
 * would be said later. Pure.
 */
import { ULAW_TO_S16 } from "../audio/g711";
import type { SoundEntry } from "./recording";
import type { Stimulus } from "./stimuli";

export interface SpokenBlock {
  /** When it is to be in the microphone. */
  atNs: number;
  heard: Int16Array;
  /** null: silence. */
  sent: Int16Array | null;
}

const BLOCK_NS = 20e6;
/** Blocks that are later than this after the one before are another run. */
const GAP_NS = 3 * BLOCK_NS;
/** One block waits in the microphone, so that none is ever missing. */
const LEAD_NS = 2 * BLOCK_NS;
const NS_PER_MS = 1e6;
/** The driver tells a dial's last pulse so long after it. */
const PULSE_TIMEOUT_NS = 250e6;

interface Break {
  fromNs: number;
  toNs: number;
}

export function soundTrack(
  sound: readonly SoundEntry[],
  moves: readonly Stimulus[],
  lifted: boolean,
): SpokenBlock[] {
  const breaks = openLoops(moves, lifted);
  const track: SpokenBlock[] = [];
  let runNs = Number.NEGATIVE_INFINITY;
  let lastNs = Number.NEGATIVE_INFINITY;
  let inRun = 0;
  for (const { atNs, heard, sent } of sound) {
    if (atNs - lastNs > GAP_NS) {
      runNs = atNs;
      inRun = 0;
    }
    lastNs = atNs;
    const evenNs = runNs + inRun++ * BLOCK_NS;
    if (breaks.some(({ fromNs, toNs }) => evenNs > fromNs && evenNs - BLOCK_NS < toNs)) continue;
    track.push({ atNs: evenNs - LEAD_NS, heard: samplesOf(heard), sent: sent && samplesOf(sent) });
  }
  return track;
}

const samplesOf = (ulaw: Uint8Array): Int16Array => Int16Array.from(ulaw, (code) => ULAW_TO_S16[code] as number);

function openLoops(moves: readonly Stimulus[], lifted: boolean): Break[] {
  const breaks: Break[] = [];
  let openNs: number | null = lifted ? null : Number.NEGATIVE_INFINITY;
  for (const { atNs, move } of moves) {
    if (move.kind === "hook") {
      if (move.lifted && openNs !== null) breaks.push({ fromNs: openNs, toNs: atNs });
      openNs = move.lifted ? null : (openNs ?? atNs);
    } else if (move.kind === "flash") {
      breaks.push({ fromNs: atNs, toNs: atNs + move.durationMs * NS_PER_MS });
    } else if (move.kind === "pulse") {
      const pulses = move.digit === "0" ? 10 : Number(move.digit) || 1;
      const durationNs = pulses * (move.breakMs + move.makeMs) * NS_PER_MS;
      breaks.push({ fromNs: atNs, toNs: atNs + durationNs + PULSE_TIMEOUT_NS });
    }
  }
  if (openNs !== null) breaks.push({ fromNs: openNs, toNs: Number.POSITIVE_INFINITY });
  return breaks;
}
