/**
 * Brings speech to a wanted level while it streams. What counts is the level of the blocks in which somebody
 * speaks, in the spirit of ITU-T P.56: pauses do not make the rest louder. It looks a second ahead, so that the
 * first word has its level, and follows by at most 6 dB a second while something is heard.
 */
import { FULL_SCALE_SINE_DBM0 } from "./source";

const BLOCK_SAMPLES = 160;
const AHEAD_BLOCKS = 50;
/** A block below this, or that far below the others, is a pause. */
const PAUSE_DBM0 = -45;
const PAUSE_MARGIN_DB = 15.9;
/** The mean goes over about so many blocks, three seconds. */
const MEAN_BLOCKS = 150;
const MAX_GAIN_DB = 24;
const DB_PER_BLOCK = 0.12;

const dbm0 = (meanSquare: number): number => 10 * Math.log10(2 * meanSquare + 1e-12) + FULL_SCALE_SINE_DBM0;

interface Block {
  samples: Float32Array;
  speaks: boolean;
}

export class Loudness {
  #blocks: Block[] = [];
  #rest = new Float32Array(0);
  #meanSquare = 0;
  #spoken = 0;
  #gainDb = 0;

  constructor(private readonly wantedDbm0: number) {}

  push(input: Float32Array): Float32Array {
    const samples = new Float32Array(this.#rest.length + input.length);
    samples.set(this.#rest);
    samples.set(input, this.#rest.length);
    let at = 0;
    for (; at + BLOCK_SAMPLES <= samples.length; at += BLOCK_SAMPLES)
      this.#hear(samples.slice(at, at + BLOCK_SAMPLES));
    this.#rest = samples.slice(at);
    return this.#given(AHEAD_BLOCKS);
  }

  end(): Float32Array {
    if (this.#rest.length > 0) this.#hear(this.#rest);
    this.#rest = new Float32Array(0);
    return this.#given(0);
  }

  #hear(samples: Float32Array): void {
    let sum = 0;
    for (const value of samples) sum += value * value;
    const meanSquare = sum / samples.length;
    const level = dbm0(meanSquare);
    const speaks = level > PAUSE_DBM0 && (this.#spoken === 0 || level > dbm0(this.#meanSquare) - PAUSE_MARGIN_DB);
    if (speaks) {
      this.#spoken = Math.min(this.#spoken + 1, MEAN_BLOCKS);
      this.#meanSquare += (meanSquare - this.#meanSquare) / this.#spoken;
    }
    this.#blocks.push({ samples, speaks });
  }

  /** All but so many blocks, which are what it looks ahead to. */
  #given(kept: number): Float32Array {
    const blocks = this.#blocks.splice(0, Math.max(0, this.#blocks.length - kept));
    const output = new Float32Array(blocks.reduce((sum, { samples }) => sum + samples.length, 0));
    let at = 0;
    for (const { samples, speaks } of blocks) {
      const before = this.#gainDb;
      this.#gainDb = this.#nextGainDb(speaks);
      const from = 10 ** (before / 20);
      const step = (10 ** (this.#gainDb / 20) - from) / samples.length;
      for (let i = 0; i < samples.length; i++) output[at + i] = (samples[i] as number) * (from + step * (i + 1));
      at += samples.length;
    }
    return output;
  }

  #nextGainDb(speaks: boolean): number {
    if (this.#spoken === 0) return 0;
    const wantedDb = this.wantedDbm0 - dbm0(this.#meanSquare);
    const goal = Math.max(-MAX_GAIN_DB, Math.min(MAX_GAIN_DB, wantedDb));
    if (!speaks || !this.#began) {
      this.#began ||= speaks;
      return goal;
    }
    return this.#gainDb + Math.max(-DB_PER_BLOCK, Math.min(DB_PER_BLOCK, goal - this.#gainDb));
  }

  #began = false;
}
