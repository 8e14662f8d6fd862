/** Pours a source into a native sample ring, chunk by chunk, as far as it has room. */
import type { PcmSource } from "./verbs";

const CHUNK_SAMPLES = 4096; /* half a second: short enough that one pour never stalls the event loop */

export class SampleFeed {
  #chunk: Int16Array = new Int16Array(CHUNK_SAMPLES);
  #ahead: Int16Array = new Int16Array(CHUNK_SAMPLES);
  #from = 0;
  #to = 0;
  #aheadSamples = -1; /* −1: not read yet */
  #ended = false;

  constructor(
    private readonly source: PcmSource,
    private readonly write: (samples: Int16Array) => number,
    /** Told once, before the last samples are written: how many of them are still to come. */
    private readonly beforeLast: (samplesToCome: number) => void,
  ) {}

  /** True when everything has been written; false when the ring is full: call again when it has room. */
  pour(): boolean {
    for (;;) {
      if (this.#aheadSamples < 0) this.#aheadSamples = this.source.read(this.#ahead);
      if (this.#aheadSamples === 0 && !this.#ended) {
        this.#ended = true;
        this.beforeLast(this.#to - this.#from);
      }
      this.#from += this.write(this.#chunk.subarray(this.#from, this.#to));
      if (this.#from < this.#to) return false;
      if (this.#ended) return true;
      [this.#chunk, this.#ahead] = [this.#ahead, this.#chunk];
      this.#from = 0;
      this.#to = this.#aheadSamples;
      this.#aheadSamples = -1;
    }
  }
}
