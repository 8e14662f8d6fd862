/** Louder or softer, while it is read. What exceeds full scale is limited softly, not cut off. */
import { Limiter } from "./limiter";
import { NOT_YET, type PcmSource } from "./source";

const FULL_SCALE = 32768;
const toS16 = (value: number): number =>
  Math.max(-FULL_SCALE, Math.min(FULL_SCALE - 1, Math.round(value * FULL_SCALE)));

class GainSource implements Pick<PcmSource, "read"> {
  readonly #factor: number;
  readonly #limiter = new Limiter();
  #ready: Float32Array = new Float32Array(0);
  #scratch = new Int16Array(0);
  #ended = false;

  constructor(
    private readonly source: Pick<PcmSource, "read">,
    gainDb: number,
  ) {
    this.#factor = 10 ** (gainDb / 20) / FULL_SCALE;
  }

  read(into: Int16Array): number {
    while (this.#ready.length === 0 && !this.#ended) {
      if (this.#scratch.length < into.length) this.#scratch = new Int16Array(into.length);
      const scratch = this.#scratch.subarray(0, into.length);
      const count = this.source.read(scratch);
      if (count === NOT_YET) return NOT_YET;
      this.#ended = count === 0;
      this.#ready = this.#ended
        ? this.#limiter.end()
        : this.#limiter.push(Float32Array.from(scratch.subarray(0, count), (sample) => sample * this.#factor));
    }
    const given = this.#ready.subarray(0, into.length);
    this.#ready = this.#ready.subarray(given.length);
    for (let i = 0; i < given.length; i++) into[i] = toS16(given[i] as number);
    return given.length;
  }
}

/** 0 dB: the very same samples. */
export const withGain = (source: Pick<PcmSource, "read">, gainDb: number): Pick<PcmSource, "read"> =>
  gainDb === 0 ? source : new GainSource(source, gainDb);
