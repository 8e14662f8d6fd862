/** One line's hardware, real or simulated, as the exchange uses it. */
import type { Burst } from "../line/cadence";
import { Capability } from "./abi.gen";
import type { DriverEngine, LineStats } from "./engine";
import { alarmNames, signallingName } from "./faults";

export class Port {
  constructor(
    private readonly engine: DriverEngine,
    /** The line's number in the engine, from 0. */
    readonly index: number,
    /** DAHDI's channel number; a simulated line counts from 1 like a card. */
    readonly channel: number,
    /** null when simulated. */
    readonly device: string | null,
  ) {}

  nowNs(): number {
    return this.engine.nowNs();
  }

  /** Settles when the card has accepted the first burst; `numbered` learns what ring_done will carry. */
  ring(
    bursts: readonly Burst[],
    repeat: number,
    capMs: number,
    numbered: (sequence: number) => void,
  ): Promise<void> {
    const phases = Int32Array.from(bursts.flatMap(({ onMs, offMs }) => [onMs, offMs]));
    return this.engine.command(
      (shim, handle) => shim.dshim_ring(handle, this.index, phases, bursts.length, repeat, capMs),
      numbered,
    );
  }

  stopRing(): Promise<void> {
    return this.engine.command((shim, handle) => shim.dshim_ring_stop(handle, this.index));
  }

  /** Samples ever accepted by playWrite: the place where the next one will be. */
  playPosition(): number {
    return this.engine.shim.dshim_play_position(this.engine.handle, this.index);
  }

  playBegin(mark: number, position: number): Promise<void> {
    return this.engine.command((shim, handle) => shim.dshim_play_begin(handle, this.index, mark, position));
  }

  playEnd(mark: number, position: number): Promise<void> {
    return this.engine.command((shim, handle) => shim.dshim_play_end(handle, this.index, mark, position));
  }

  /** How many of the samples fitted. */
  playWrite(samples: Int16Array): number {
    if (samples.length === 0) return 0;
    return this.engine.shim.dshim_play_write(this.engine.handle, this.index, samples, samples.length);
  }

  playFlush(): Promise<void> {
    return this.engine.command((shim, handle) => shim.dshim_play_flush(handle, this.index));
  }

  stats(): LineStats & { signallingName: string | null; alarmNames: string[]; capabilityNames: CapabilityNames } {
    const stats = this.engine.lineStats(this.index);
    return {
      ...stats,
      signallingName: signallingName(stats.signalling),
      alarmNames: alarmNames(stats.alarms),
      capabilityNames: {
        voltage: (stats.capabilities & Capability.Voltage) !== 0,
        echo_cancel: (stats.capabilities & Capability.EchoCancel) !== 0,
        gain: (stats.capabilities & Capability.Gain) !== 0,
      },
    };
  }
}

export interface CapabilityNames {
  voltage: boolean;
  echo_cancel: boolean;
  gain: boolean;
}
