/** One line's hardware, real or simulated, as the exchange uses it. */
import type { RingPlan } from "../line/cadence";
import { Capability, DataFlag } from "./abi.gen";
import { check, type DriverEngine, type LineStats } from "./engine";
import { alarmNames, signallingName } from "./faults";
import { PlayLane } from "./play_lane";

export class Port {
  readonly #lanes: PlayLane[] = [];

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
    { bursts, repeat, capMs, data }: Pick<RingPlan, "bursts" | "repeat" | "capMs" | "data">,
    numbered: (sequence: number) => void,
  ): Promise<void> {
    const phases = Int32Array.from(bursts.flatMap(({ onMs, offMs }) => [onMs, offMs]));
    const count = bursts.length;
    return this.engine.command((shim, handle) => {
      if (!data) return shim.dshim_ring(handle, this.index, phases, count, repeat, capMs);
      const { samples, when } = data;
      const before = when === "before_ringing";
      const flags = (before ? DataFlag.BeforeRinging : 0) | polarityFlag(data.reversePolarity);
      const burst = before ? 0 : when.afterBurst;
      const { length } = samples;
      return shim.dshim_ring_data(handle, this.index, phases, count, repeat, capMs, samples, length, flags, burst);
    }, numbered);
  }

  /** Settles when they begin; data_started and data_done carry the number. */
  sendData(
    samples: Int16Array,
    to: { lifted: boolean; reversePolarity: boolean },
    numbered: (sequence: number) => void,
  ): Promise<void> {
    const flags = polarityFlag(to.reversePolarity);
    return this.engine.command(
      (shim, handle) =>
        shim.dshim_data_send(handle, this.index, samples, samples.length, to.lifted ? 1 : 0, flags),
      numbered,
    );
  }

  /** The card's own lamp voltage; rejects with ENOTTY where it has none. */
  messageWaiting(messages: number): Promise<void> {
    return this.engine.command((shim, handle) => shim.dshim_message_waiting(handle, this.index, messages));
  }

  stopRing(): Promise<void> {
    return this.engine.command((shim, handle) => shim.dshim_ring_stop(handle, this.index));
  }

  /** One of the ways over which the line is spoken to at once: 0 the queue, then OVERLAYS, then TALKERS. */
  lane(number: number): PlayLane {
    this.#lanes[number] ??= new PlayLane(this.engine, this.index, number);
    return this.#lanes[number];
  }

  /** Lets it hear the other lines on that bridge, and them it; 0: none. */
  bridge(number: number): Promise<void> {
    return this.engine.command((shim, handle) => shim.dshim_bridge(handle, this.index, number));
  }

  /** `numbered` learns the number that its blocks carry, when it was closed before. */
  tapOpen(everyBlocks: number, numbered: (sequence: number) => void): Promise<void> {
    return this.engine.command((shim, handle) => shim.dshim_tap_open(handle, this.index, everyBlocks), numbered);
  }

  tapClose(): Promise<void> {
    return this.engine.command((shim, handle) => shim.dshim_tap_close(handle, this.index));
  }

  /** Fills `into` with up to `blocks`: see tap.ts. */
  tapRead(into: Uint8Array, blocks: number): number {
    return check(this.engine.shim.dshim_tap_read(this.engine.handle, this.index, into, blocks));
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
        on_hook_transfer: (stats.capabilities & Capability.OnHookTransfer) !== 0,
        polarity_reversal: (stats.capabilities & Capability.Polarity) !== 0,
        message_lamp: (stats.capabilities & Capability.Vmwi) !== 0,
      },
    };
  }
}

const polarityFlag = (reverse: boolean): number => (reverse ? DataFlag.ReversePolarity : 0);

export interface CapabilityNames {
  voltage: boolean;
  echo_cancel: boolean;
  gain: boolean;
  /** The card lets an on-hook telephone hear when it is told to. */
  on_hook_transfer: boolean;
  polarity_reversal: boolean;
  /** The card lights a lamp by voltage, and is configured to (message_waiting.lamp). */
  message_lamp: boolean;
}
