/**
 * The native engine as an object: its life, its commands as promises, its counters. One instance owns one
 * `struct dshim_engine`; port.ts and handset.ts speak through it.
 */
import type { ProgressToneName } from "../line/state";
import {
  EngineStatsField,
  EngineStatsSize,
  EventSize,
  LineStatsField,
  LineStatsSize,
  Mode,
  Option,
  Progress,
  ProgressToneOffset,
} from "./abi.gen";
import { type DriverEvent, decodeEvent } from "./decode";
import { errnoName } from "./faults";
import { cString, type EngineHandle, type Shim } from "./library";

/** The kernel, or the shim, said no. `errno` is positive. */
export class DriverError extends Error {
  constructor(readonly errno: number) {
    super(`driver: ${errnoName(errno)}`);
    this.name = "DriverError";
  }
}

/** A tone that a far end may send. */
export interface ProgressTone {
  tone: ProgressToneName;
  /** Up to four, sounding together. */
  frequenciesHz: readonly number[];
  /** Either way, of each. */
  toleranceHz: number;
  /** On, off, on, off …; empty: continuous. Up to twelve. */
  cadenceMs: readonly number[];
  /** Continuous: sure after so long. A cadence: so long into its last pause; 0: when it has begun again. */
  sureMs: number;
}

const PROGRESS_IDS: Record<ProgressToneName, number> = {
  dial: Progress.Dial,
  busy: Progress.Busy,
  reorder: Progress.Reorder,
  ringback: Progress.Ringback,
  fax_ced: Progress.FaxCed,
  fax_cng: Progress.FaxCng,
};

export type EngineOption = keyof typeof Option;

export type LineStats = { [field in keyof typeof LineStatsField]: number };
export type EngineStats = { [field in keyof typeof EngineStatsField]: number };

const DRAIN_EVENTS = 256;

export class DriverEngine {
  readonly #handle: EngineHandle;
  readonly #drained = new Uint8Array(DRAIN_EVENTS * EventSize);
  readonly #drainedView = new DataView(this.#drained.buffer);
  readonly #stats = new Uint8Array(Math.max(LineStatsSize, EngineStatsSize));
  readonly #statsView = new DataView(this.#stats.buffer);
  readonly #pending = new Map<number, { resolve: () => void; reject: (error: DriverError) => void }>();
  #destroyed = false;

  constructor(
    readonly shim: Shim,
    mode: "realtime" | "stepped",
  ) {
    const handle = shim.dshim_create(mode === "stepped" ? Mode.Stepped : Mode.Realtime);
    if (!handle || typeof handle === "bigint") throw new Error("memory is too short for the I/O engine");
    this.#handle = handle;
  }

  get handle(): EngineHandle {
    if (this.#destroyed) throw new Error("the I/O engine was closed");
    return this.#handle;
  }

  setOption(option: EngineOption, value: number): void {
    check(this.shim.dshim_set_option(this.handle, Option[option], value));
  }

  addDahdi(device: string, channel: number): number {
    return check(this.shim.dshim_add_dahdi(this.handle, cString(device), channel));
  }

  addSimulated(): number {
    return check(this.shim.dshim_add_sim(this.handle));
  }

  /** What every line listens for besides digits and voices; before start. */
  listenFor(tones: readonly ProgressTone[]): void {
    const { size, id, sines, frequencies_chz, tolerance_chz, phases, cadence_ms, sure_ms } = ProgressToneOffset;
    const table = new DataView(new ArrayBuffer(size * tones.length));
    tones.forEach((tone, i) => {
      const put = (offset: number, ...values: number[]): void =>
        values.forEach((value, k) => {
          table.setInt32(i * size + offset + 4 * k, Math.round(value), true);
        });
      put(id, PROGRESS_IDS[tone.tone]);
      put(sines, tone.frequenciesHz.length);
      put(frequencies_chz, ...tone.frequenciesHz.map((hz) => hz * 100));
      put(tolerance_chz, tone.toleranceHz * 100);
      put(phases, tone.cadenceMs.length);
      put(cadence_ms, ...tone.cadenceMs);
      put(sure_ms, tone.sureMs);
    });
    check(this.shim.dshim_progress_tones(this.handle, new Uint8Array(table.buffer), tones.length));
  }

  start(): void {
    check(this.shim.dshim_start(this.handle));
  }

  /** Stepped engines only: everything that falls due in the next `ms` happens now. */
  step(ms: number): void {
    check(this.shim.dshim_step(this.handle, ms));
  }

  nowNs(): number {
    return this.shim.dshim_now_ns(this.handle);
  }

  /** A descriptor to read; the caller closes it. */
  doorbell(): number {
    return check(this.shim.dshim_doorbell(this.handle));
  }

  /**
   * Runs a native command and settles when the I/O thread has carried it out, or rejects with DriverError.
   * `accepted` learns its sequence number at once, before any event that carries it.
   */
  command(
    issue: (shim: Shim, handle: EngineHandle) => number,
    accepted?: (sequence: number) => void,
  ): Promise<void> {
    if (this.#destroyed) return Promise.reject(new DriverError(CANCELED));
    const sequence = issue(this.shim, this.#handle);
    if (sequence <= 0) return Promise.reject(new DriverError(-sequence));
    accepted?.(sequence);
    return new Promise((resolve, reject) => this.#pending.set(sequence, { resolve, reject }));
  }

  /** Hands every event that waits to `deliver`, oldest first, and settles the commands among them. */
  drain(deliver: (event: DriverEvent) => void): void {
    if (this.#destroyed) return;
    let count: number;
    do {
      count = check(this.shim.dshim_drain(this.#handle, this.#drained, DRAIN_EVENTS));
      for (let i = 0; i < count; i++) {
        const event = decodeEvent(this.#drainedView, i);
        if (!event) continue;
        deliver(event);
        if (event.kind === "command_done") this.#settle(event.sequence, event.result);
      }
    } while (count === DRAIN_EVENTS);
  }

  #settle(sequence: number, result: number): void {
    const pending = this.#pending.get(sequence);
    this.#pending.delete(sequence);
    if (result < 0) pending?.reject(new DriverError(-result));
    else pending?.resolve();
  }

  lineStats(index: number): LineStats {
    check(this.shim.dshim_line_stats(this.handle, index, this.#stats));
    return readFields(this.#statsView, LineStatsField) as LineStats;
  }

  engineStats(): EngineStats {
    check(this.shim.dshim_engine_stats(this.handle, this.#stats));
    return readFields(this.#statsView, EngineStatsField) as EngineStats;
  }

  /** `count` samples of a sum of up to four sines, from sample `start` of an endless tone. */
  renderTone(frequenciesHz: readonly number[], levelDbm0: number, start: number, into: Int16Array): void {
    if (into.length === 0) return;
    const frequencies = Float64Array.from(frequenciesHz);
    const level = Math.round(levelDbm0 * 100);
    check(this.shim.dshim_tone_render(frequencies, frequencies.length, level, start, into, into.length));
  }

  /** Stops every bell, gives the card back, joins the thread. Commands under way are rejected. */
  destroy(): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    this.shim.dshim_destroy(this.#handle);
    for (const { reject } of this.#pending.values()) reject(new DriverError(CANCELED));
    this.#pending.clear();
  }
}

const CANCELED = 125; /* ECANCELED, <asm-generic/errno.h> */

/** Passes a native result on; negative ones are errors. */
export function check(result: number): number {
  if (result < 0) throw new DriverError(-result);
  return result;
}

function readFields(
  view: DataView,
  fields: Record<string, { offset: number; type: "i32" | "i64" }>,
): Record<string, number> {
  const values: Record<string, number> = {};
  for (const [name, { offset, type }] of Object.entries(fields)) {
    values[name] = type === "i64" ? Number(view.getBigInt64(offset, true)) : view.getInt32(offset, true);
  }
  return values;
}
