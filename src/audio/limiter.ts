/**
 * Keeps peaks within what S16 holds without cutting them off: the gain goes down smoothly before a peak, 5 ms
 * ahead, and comes back slowly. Where nothing exceeds full scale every sample passes exactly as it is.
 */
const AHEAD_SAMPLES = 40;
const RELEASE_PER_SAMPLE = 1 / 800; /* from nothing to full in 100 ms */
const HIGHEST = 32767 / 32768;
const LOWEST = -1;

const neededGain = (value: number): number =>
  value > HIGHEST ? HIGHEST / value : value < LOWEST ? LOWEST / value : 1;

export class Limiter {
  /** The newest samples, not given yet: AHEAD_SAMPLES of them once there were so many. */
  #waiting = new Float32Array(0);
  /** What each of the last AHEAD_SAMPLES + 1 places allows, oldest first: the gain is their mean. */
  #allowed = new Float64Array(AHEAD_SAMPLES + 1).fill(1);
  #last = 1;
  #working = false;

  push(input: Float32Array): Float32Array {
    const samples = new Float32Array(this.#waiting.length + input.length);
    samples.set(this.#waiting);
    samples.set(input, this.#waiting.length);
    const count = Math.max(0, samples.length - AHEAD_SAMPLES);
    this.#waiting = samples.slice(count);
    return this.#limited(samples, count);
  }

  end(): Float32Array {
    const count = this.#waiting.length;
    const samples = new Float32Array(count + AHEAD_SAMPLES);
    samples.set(this.#waiting);
    this.#waiting = new Float32Array(0);
    return this.#limited(samples, count);
  }

  /** The first `count` of the samples; those behind them are what it looks ahead to. */
  #limited(samples: Float32Array, count: number): Float32Array {
    const output = samples.slice(0, count);
    if (!this.#working && !samples.some((value) => value > HIGHEST || value < LOWEST)) return output;
    const needed = Float64Array.from(samples, neededGain);
    for (let i = 0; i < count; i++) {
      let least = 1;
      for (let k = i; k <= i + AHEAD_SAMPLES && k < needed.length; k++)
        least = Math.min(least, needed[k] as number);
      this.#last = Math.min(least, this.#last + RELEASE_PER_SAMPLE);
      this.#allowed.copyWithin(0, 1);
      this.#allowed[AHEAD_SAMPLES] = this.#last;
      let sum = 0;
      for (const allowed of this.#allowed) sum += allowed;
      output[i] = (samples[i] as number) * (sum / (AHEAD_SAMPLES + 1));
    }
    this.#working =
      this.#allowed.some((allowed) => allowed < 1) || needed.subarray(count).some((gain) => gain < 1);
    return output;
  }
}
