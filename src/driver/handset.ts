/** A hand on one simulated telephone. Promises settle when the telephone has done it. */
import { SimStateField, SimStateSize } from "./abi.gen";
import { check, type DriverEngine } from "./engine";
import { cString } from "./library";

export class Handset {
  readonly #state = new Uint8Array(SimStateSize);
  readonly #stateView = new DataView(this.#state.buffer);

  constructor(
    private readonly engine: DriverEngine,
    private readonly index: number,
  ) {}

  hook(lifted: boolean): Promise<void> {
    return this.engine.command((shim, handle) => shim.dshim_sim_hook(handle, this.index, lifted ? 1 : 0));
  }

  flash(durationMs: number): Promise<void> {
    return this.engine.command((shim, handle) => shim.dshim_sim_flash(handle, this.index, durationMs));
  }

  press(keys: { digits: string; onMs: number; offMs: number; levelDbm0: number; twistDb: number }): Promise<void> {
    const level = Math.round(keys.levelDbm0 * 100);
    const twist = Math.round(keys.twistDb * 100);
    return this.engine.command((shim, handle) =>
      shim.dshim_sim_press(handle, this.index, cString(keys.digits), keys.onMs, keys.offMs, level, twist),
    );
  }

  pulse(digits: string, breakMs: number, makeMs: number): Promise<void> {
    return this.engine.command((shim, handle) =>
      shim.dshim_sim_pulse(handle, this.index, cString(digits), breakMs, makeMs),
    );
  }

  /** Into the microphone; returns how many samples fitted. mic_low tells when there is room again. */
  micWrite(samples: Int16Array): number {
    if (samples.length === 0) return 0;
    return check(this.engine.shim.dshim_sim_mic_write(this.engine.handle, this.index, samples, samples.length));
  }

  /** Settles when all that was written has been said. */
  micEnd(): Promise<void> {
    return this.engine.command((shim, handle) => shim.dshim_sim_mic_end(handle, this.index));
  }

  voltage(millivolts: number): Promise<void> {
    return this.engine.command((shim, handle) => shim.dshim_sim_voltage(handle, this.index, millivolts));
  }

  plug(plugged: boolean): Promise<void> {
    return this.engine.command((shim, handle) => shim.dshim_sim_plug(handle, this.index, plugged ? 1 : 0));
  }

  /** The newest samples that the ear heard, at most `samples`, oldest first. */
  ear(samples: number): Int16Array {
    if (samples <= 0) return new Int16Array(0);
    const heard = new Int16Array(samples);
    const count = check(this.engine.shim.dshim_sim_ear(this.engine.handle, this.index, heard, samples));
    return heard.subarray(0, count);
  }

  state(): {
    lifted: boolean;
    bell: boolean;
    bursts: number;
    plugged: boolean;
    volts: number;
    reversed: boolean;
    lamp: boolean;
  } {
    check(this.engine.shim.dshim_sim_state(this.engine.handle, this.index, this.#state));
    const int = (field: keyof typeof SimStateField): number =>
      this.#stateView.getInt32(SimStateField[field].offset, true);
    return {
      lifted: int("lifted") === 1,
      bell: int("bell") === 1,
      bursts: Number(this.#stateView.getBigInt64(SimStateField.bursts.offset, true)),
      plugged: int("plugged") === 1,
      volts: int("voltage_mv") / 1000,
      reversed: int("reversed") === 1,
      lamp: int("lamp") === 1,
    };
  }
}
