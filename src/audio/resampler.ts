/**
 * Any rate to the telephone's, by a windowed sinc: flat to 3.44 kHz, 90 dB down from 4 kHz on, so that nothing
 * folds back. Linear phase; the delay is taken out, sample 0 stays at time 0. Ten times faster here than the
 * general libraries and without their start, because only the samples that are wanted are computed, at one rate.
 */
import { TELEPHONE_RATE_HZ } from "./source";

/** Of the lower Nyquist frequency: the end of what is kept as it is. */
const PASS_BAND = 0.86;
const STOP_DB = 96;
/** Kaiser's formulas for that attenuation. */
const BETA = 0.1102 * (STOP_DB - 8.7);
const tapsFor = (rateHz: number, transitionHz: number): number =>
  Math.ceil((STOP_DB - 8) / (2.285 * 2 * Math.PI * (transitionHz / rateHz)));

/**
 * Rates with no common measure with ours: that many places in the time of two of our samples, and straight lines between
 * them. In the time of two of a higher rate there are fewer, so that no rate's filter is large, nor long in the making.
 */
const DENSE_PHASES = 512;
const densePhases = (rateHz: number): number => Math.ceil(DENSE_PHASES * Math.min(1, TELEPHONE_RATE_HZ / rateHz));

interface Filter {
  /** Samples before and after the place of an output sample that it is made of. */
  half: number;
  phases: number;
  /** phases + 1 rows of 2·half: the sample at floor(place) − half + 1 comes first. */
  rows: Float32Array;
}

const filters = new Map<number, Filter>();
const MAX_KEPT_FILTERS = 8;

function filterFor(rateHz: number): Filter {
  let filter = filters.get(rateHz);
  if (!filter) {
    if (filters.size >= MAX_KEPT_FILTERS) filters.clear();
    filter = design(rateHz);
    filters.set(rateHz, filter);
  }
  return filter;
}

function bessel0(x: number): number {
  const square = (x * x) / 4;
  let sum = 1;
  let term = 1;
  for (let k = 1; term > sum * 1e-12; k++) {
    term *= square / (k * k);
    sum += term;
  }
  return sum;
}

/** Kaiser's window from its middle (0) to its edge, close enough to draw straight lines: 120 dB. */
const WINDOW_STEPS = 2048;
let windowTable: Float64Array | null = null;
function kaiserTable(): Float64Array {
  windowTable ??= Float64Array.from(
    { length: WINDOW_STEPS + 2 },
    (_, i) => bessel0(BETA * Math.sqrt(Math.max(0, 1 - (i / WINDOW_STEPS) ** 2))) / bessel0(BETA),
  );
  return windowTable;
}

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));

function design(rateHz: number): Filter {
  const nyquistHz = Math.min(rateHz, TELEPHONE_RATE_HZ) / 2;
  const half = Math.ceil(tapsFor(rateHz, nyquistHz * (1 - PASS_BAND)) / 2);
  const exact = TELEPHONE_RATE_HZ / gcd(rateHz, TELEPHONE_RATE_HZ);
  const phases = Math.min(exact, densePhases(rateHz));
  const cutoff = (nyquistHz * (1 + PASS_BAND)) / rateHz; /* in half-cycles a sample */
  const taps = 2 * half;
  const rows = new Float32Array((phases + 1) * taps);
  const table = kaiserTable();
  const turnCos = Math.cos(Math.PI * cutoff);
  const turnSin = Math.sin(Math.PI * cutoff);
  for (let phase = 0; phase <= phases; phase++) {
    const row = rows.subarray(phase * taps, (phase + 1) * taps);
    const firstX = 1 - half - phase / phases;
    let sin = Math.sin(Math.PI * cutoff * firstX);
    let cos = Math.cos(Math.PI * cutoff * firstX);
    let sum = 0;
    for (let k = 0; k < taps; k++) {
      const x = firstX + k;
      const place = Math.min(Math.abs(x) / half, 1) * WINDOW_STEPS;
      const step = Math.floor(place);
      const before = table[step] as number;
      const window = before + (place - step) * ((table[step + 1] as number) - before);
      const tap = window * (x === 0 ? cutoff : sin / (Math.PI * x));
      row[k] = tap;
      sum += tap;
      const turned = sin * turnCos + cos * turnSin; // to the next sample's angle
      cos = cos * turnCos - sin * turnSin;
      sin = turned;
    }
    for (let k = 0; k < taps; k++) row[k] = (row[k] as number) / sum;
  }
  return { half, phases, rows };
}

export class Resampler {
  readonly #filter: Filter;
  /** From the first sample that is still needed; `half − 1` zeros stand before the first one of all. */
  #held: Float32Array;
  #given = 0;
  #taken = 0;
  /** The next output sample's place: a whole number of input samples into #held, and 8000ths. */
  #whole = 0;
  #part = 0;

  constructor(private readonly rateHz: number) {
    this.#filter = filterFor(rateHz);
    this.#held = new Float32Array(this.#filter.half - 1);
  }

  push(input: Float32Array): Float32Array {
    this.#taken += input.length;
    return this.#run(input, Number.POSITIVE_INFINITY);
  }

  /** What is left: as many samples in all as the sound lasts. */
  end(): Float32Array {
    const total = Math.round((this.#taken * TELEPHONE_RATE_HZ) / this.rateHz);
    return this.#run(new Float32Array(2 * this.#filter.half + 1), total - this.#given);
  }

  #run(input: Float32Array, limit: number): Float32Array {
    const { half, phases, rows } = this.#filter;
    const taps = 2 * half;
    const samples = new Float32Array(this.#held.length + input.length);
    samples.set(this.#held);
    samples.set(input, this.#held.length);
    const places = samples.length - taps - this.#whole + 1;
    const room = Math.max(0, Math.ceil((places * TELEPHONE_RATE_HZ) / this.rateHz) + 1);
    const output = new Float32Array(Math.min(room, Math.max(0, limit)));
    let count = 0;
    while (count < output.length && this.#whole + taps <= samples.length) {
      const at = (this.#part * phases) / TELEPHONE_RATE_HZ;
      const phase = Math.floor(at);
      const value = dot(samples, this.#whole, rows, phase * taps, taps);
      const between = at - phase;
      output[count++] =
        between === 0
          ? value
          : value + between * (dot(samples, this.#whole, rows, (phase + 1) * taps, taps) - value);
      this.#part += this.rateHz;
      const steps = Math.floor(this.#part / TELEPHONE_RATE_HZ);
      this.#whole += steps;
      this.#part -= steps * TELEPHONE_RATE_HZ;
    }
    const used = Math.min(this.#whole, samples.length);
    this.#held = samples.slice(used);
    this.#whole -= used;
    this.#given += count;
    return output.subarray(0, count);
  }
}

function dot(samples: Float32Array, from: number, rows: Float32Array, row: number, taps: number): number {
  let sum = 0;
  for (let k = 0; k < taps; k++) sum += (samples[from + k] as number) * (rows[row + k] as number);
  return sum;
}
