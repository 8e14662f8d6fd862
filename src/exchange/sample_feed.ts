/** Pours a source into a native sample ring, chunk by chunk, as far as it has room and the source has something. */
import { NOT_YET } from "../audio/source";
import type { PcmSource } from "./verbs";

const CHUNK_SAMPLES = 4096; /* half a second: short enough that one pour never stalls the event loop */
/** Of a source that waits for more, so much is kept back: its end must be told before the last samples are heard. */
const KEPT_BACK_SAMPLES = 160;
/** A source that breaks off in the middle of a sound fades out, 5 ms, instead of clicking. */
const FADE_SAMPLES = 40;

export class SampleFeed {
  #chunk: Int16Array = new Int16Array(CHUNK_SAMPLES);
  #ahead: Int16Array = new Int16Array(CHUNK_SAMPLES);
  #from = 0;
  #to = 0;
  #aheadSamples = NOT_YET;
  #ended = false;
  #failed = false;

  constructor(
    private readonly source: PcmSource,
    private readonly write: (samples: Int16Array) => number,
    /** Told once, before the last samples are written: how many of them are still to come. */
    private readonly beforeLast: (samplesToCome: number) => void,
  ) {}

  /** Its samples could not be had to the end. */
  get failed(): boolean {
    return this.#failed;
  }

  /** True when everything has been written; false when the ring is full or the source waits: call again. */
  pour(): boolean {
    for (;;) {
      if (this.#aheadSamples < 0) this.#aheadSamples = this.#read();
      if (this.#aheadSamples === 0 && !this.#ended) {
        this.#ended = true;
        if (this.#failed) fadeOut(this.#chunk.subarray(Math.max(this.#from, this.#to - FADE_SAMPLES), this.#to));
        this.beforeLast(this.#to - this.#from);
      }
      const waits = this.#aheadSamples === NOT_YET;
      const to = waits ? Math.max(this.#from, this.#to - KEPT_BACK_SAMPLES) : this.#to;
      this.#from += this.write(this.#chunk.subarray(this.#from, to));
      if (this.#from < to || waits) return false;
      if (this.#ended) return true;
      [this.#chunk, this.#ahead] = [this.#ahead, this.#chunk];
      this.#from = 0;
      this.#to = this.#aheadSamples;
      this.#aheadSamples = NOT_YET;
    }
  }

  #read(): number {
    try {
      return this.source.read(this.#ahead);
    } catch {
      this.#failed = true;
      return 0;
    }
  }
}

function fadeOut(samples: Int16Array): void {
  for (let i = 0; i < samples.length; i++) {
    const gain = (1 + Math.cos((Math.PI * (i + 1)) / samples.length)) / 2;
    samples[i] = Math.round((samples[i] as number) * gain);
  }
}
