/**
 * A sound that is kept in memory while it is read, so that it can be heard again from any place: to seek, to loop
 * without a seam, to take back what was read ahead. One that is longer than the bound passes through instead, in
 * flat memory, and cannot be rewound.
 *
 *   places are counted from the beginning, rounds included: place = round · length + place in the sound
 */
import { NOT_YET, type PcmSource } from "./source";

/** Of one sound: nine minutes. */
export const MAX_KEPT_BYTES = 8 * 1024 * 1024;
/** Of all together: past it, a sound that is already heard can be sought in, and a new one cannot. */
const MAX_ALL_KEPT_BYTES = 96 * 1024 * 1024;
/** What is known to be longer is kept until so much of it was read: what a lane holds can still be taken back. */
const TAKEN_BACK_BYTES = 256 * 1024;
const BLOCK_SAMPLES = 8192;
const BLOCK_BYTES = BLOCK_SAMPLES * 2;
/** Passed over in one turn of the event loop. */
const TURN_SAMPLES = 64 * 1024;

/** What all sounds keep just now. */
let allKeptBytes = 0;

export class KeptSource implements PcmSource {
  #blocks: Int16Array[] = [];
  #readSamples = 0;
  #place = 0;
  #ended = false;
  #failure: unknown = null;
  #keeps: boolean;
  readonly #maxBytes: number;
  #rounds = 1;
  #closed = false;
  #listener: () => void = () => undefined;

  constructor(
    private readonly source: PcmSource,
    private readonly options: { maxBytes: number; later: (work: () => void) => void } = {
      maxBytes: MAX_KEPT_BYTES,
      later: (work) => setImmediate(work),
    },
  ) {
    this.#keeps = options.maxBytes > 0;
    this.#maxBytes = this.#tooLong ? Math.min(options.maxBytes, TAKEN_BACK_BYTES) : options.maxBytes;
  }

  static of(source: PcmSource): KeptSource {
    return source instanceof KeptSource ? source : new KeptSource(source);
  }

  /** Of all rounds; null: not known, or for ever. */
  get samples(): number | null {
    const once = this.soundSamples;
    return once === null || this.#rounds === 0 ? null : once * this.#rounds;
  }

  /** Of one round. */
  get soundSamples(): number | null {
    return this.#ended ? this.#readSamples : this.source.samples;
  }

  get heldBytes(): number {
    const { heldBytes = (this.source.samples ?? 0) * 2 } = this.source;
    return Math.max(heldBytes, this.#blocks.length * BLOCK_BYTES);
  }

  /** What was read can be read again. */
  get rewindable(): boolean {
    return this.#keeps;
  }

  /** It stays rewindable to its end, as far as is known. */
  get seekable(): boolean {
    return this.#keeps && !this.#tooLong;
  }

  get #tooLong(): boolean {
    return (this.source.samples ?? 0) * 2 > this.options.maxBytes;
  }

  /** All of it is in memory. */
  get whole(): boolean {
    return this.#keeps && this.#ended && this.#failure === null;
  }

  /** 0: for ever. Only of one that is whole. */
  repeat(rounds: number): void {
    this.#rounds = rounds;
  }

  /** Only of one that is rewindable. Past what was read, what lies between is read on the way. */
  seek(place: number): void {
    this.#place = place;
  }

  /** Reads all of it into memory, which fails where it is longer than the bound. Throws what is wrong with it. */
  async gather(): Promise<"whole" | "too_long" | "no_room"> {
    while (this.seekable && !this.#ended) {
      const ready = new Promise<void>((resolve) => this.#listen(resolve));
      if (this.#readOn(TURN_SAMPLES)) await ready;
      else await new Promise<void>((resolve) => this.options.later(resolve)); // others have their turn
    }
    if (this.#failure !== null) throw this.#failure;
    if (this.seekable) return "whole";
    return this.#tooLong || this.#readSamples * 2 >= this.options.maxBytes ? "too_long" : "no_room";
  }

  read(into: Int16Array): number {
    if (this.#place > this.#readSamples && !this.#ended) {
      if (this.#readOn(Math.min(TURN_SAMPLES, this.#place - this.#readSamples))) return NOT_YET;
      if (this.#place > this.#readSamples && !this.#ended) {
        this.options.later(() => this.#listener());
        return NOT_YET;
      }
    }
    if (!this.#ended && this.#place === this.#readSamples) return this.#readNew(into);
    const count = this.#readKept(into);
    if (count === 0 && this.#failure !== null) throw this.#failure;
    return count;
  }

  whenReady(listener: () => void): void {
    this.#listen(listener);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#listener = () => undefined;
    this.#forget();
    this.source.close?.();
  }

  #listen(listener: () => void): void {
    this.#listener = listener;
    this.source.whenReady?.(() => this.#listener());
  }

  /** Up to so many samples more, into memory only. True: the source waits for more to arrive. */
  #readOn(samples: number): boolean {
    const scratch = new Int16Array(Math.min(BLOCK_SAMPLES, samples));
    for (let left = samples; left > 0 && !this.#ended; ) {
      const count = this.#fromSource(scratch.subarray(0, Math.min(scratch.length, left)));
      if (count === NOT_YET) return true;
      left -= count;
    }
    return false;
  }

  #readNew(into: Int16Array): number {
    const count = this.#fromSource(into);
    if (count === NOT_YET) return NOT_YET;
    this.#place += count;
    if (count > 0) return count;
    if (this.#failure !== null) throw this.#failure;
    return this.#readKept(into); // the next round
  }

  /** What was read before, over the seams between rounds. */
  #readKept(into: Int16Array): number {
    const length = this.#readSamples;
    const end = !this.#ended ? length : this.#rounds === 0 ? Number.POSITIVE_INFINITY : length * this.#rounds;
    let count = 0;
    while (this.#keeps && length > 0 && count < into.length && this.#place < end) {
      const at = this.#place % length;
      const inBlock = at % BLOCK_SAMPLES;
      const room = Math.min(into.length - count, BLOCK_SAMPLES - inBlock, length - at, end - this.#place);
      const block = this.#blocks[Math.floor(at / BLOCK_SAMPLES)] as Int16Array;
      into.set(block.subarray(inBlock, inBlock + room), count);
      count += room;
      this.#place += room;
    }
    return count;
  }

  #fromSource(into: Int16Array): number {
    let count = 0;
    try {
      count = this.source.read(into);
    } catch (error) {
      this.#failure = error;
    }
    if (count === NOT_YET) return NOT_YET;
    if (count === 0) this.#ended = true;
    else this.#keep(into.subarray(0, count));
    return count;
  }

  #keep(samples: Int16Array): void {
    const from = this.#readSamples;
    this.#readSamples += samples.length;
    for (let at = 0; this.#keeps && at < samples.length; ) {
      const inBlock = (from + at) % BLOCK_SAMPLES;
      if (inBlock === 0 && !this.#addBlock()) return;
      const part = samples.subarray(at, at + BLOCK_SAMPLES - inBlock);
      (this.#blocks.at(-1) as Int16Array).set(part, inBlock);
      at += part.length;
    }
  }

  #addBlock(): boolean {
    const own = (this.#blocks.length + 1) * BLOCK_BYTES;
    if (own > this.#maxBytes + BLOCK_BYTES || allKeptBytes + BLOCK_BYTES > MAX_ALL_KEPT_BYTES) {
      this.#forget();
      return false;
    }
    this.#blocks.push(new Int16Array(BLOCK_SAMPLES));
    allKeptBytes += BLOCK_BYTES;
    return true;
  }

  #forget(): void {
    allKeptBytes -= this.#blocks.length * BLOCK_BYTES;
    this.#blocks = [];
    this.#keeps = false;
  }
}
