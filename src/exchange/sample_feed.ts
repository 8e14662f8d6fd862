/** Pours a source into a native sample ring, chunk by chunk, as far as it has room and the source has something. */
import { NOT_YET } from "../audio/source";
import type { PcmSource } from "./verbs";

const CHUNK_SAMPLES = 4096; /* half a second: short enough that one pour never stalls the event loop */
/** Of a source that waits for more, so much is kept back: its end must be told before the last samples are heard. */
const KEPT_BACK_SAMPLES = 160;
/** What begins or breaks off in the middle of a sound fades in or out, 5 ms, instead of clicking. */
const FADE_SAMPLES = 40;
/** A first sample so far from silence clicks: 1 % of full scale. */
const STEP = 328;

export class SampleFeed {
  #chunk: Int16Array = new Int16Array(CHUNK_SAMPLES);
  #ahead: Int16Array = new Int16Array(CHUNK_SAMPLES);
  #from = 0;
  #to = 0;
  #aheadSamples = NOT_YET;
  #ended = false;
  #failed = false;
  #fadedIn = 0;

  constructor(
    private readonly source: Pick<PcmSource, "read">,
    private readonly write: (samples: Int16Array) => number,
    /** Told once, before the last samples are written: how many of them are still to come. */
    private readonly beforeLast: (samplesToCome: number) => void,
    /** inside: it begins in the middle of the sound. edge: with a step, perhaps. seam: it continues what was before. */
    private readonly begins: "inside" | "edge" | "seam",
  ) {
    if (begins === "seam") this.#fadedIn = FADE_SAMPLES;
  }

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
      const count = this.source.read(this.#ahead);
      if (count > 0 && this.#fadedIn < FADE_SAMPLES) this.#fadeIn(this.#ahead.subarray(0, count));
      return count;
    } catch {
      this.#failed = true;
      return 0;
    }
  }

  #fadeIn(samples: Int16Array): void {
    const steps = Math.abs(samples[0] as number) >= STEP;
    if (this.#fadedIn === 0 && this.begins === "edge" && !steps) this.#fadedIn = FADE_SAMPLES;
    for (let i = 0; i < samples.length && this.#fadedIn < FADE_SAMPLES; i++) {
      const gain = (1 - Math.cos((Math.PI * this.#fadedIn++) / FADE_SAMPLES)) / 2;
      samples[i] = Math.round((samples[i] as number) * gain);
    }
  }
}

function fadeOut(samples: Int16Array): void {
  for (let i = 0; i < samples.length; i++) {
    const gain = (1 + Math.cos((Math.PI * (i + 1)) / samples.length)) / 2;
    samples[i] = Math.round((samples[i] as number) * gain);
  }
}
