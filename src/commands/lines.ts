/** What the configuration means for the engine and its lines. */
import { chosenScheme } from "../audio/caller_id/scheme";
import type { Config, MessageLamp } from "../config/schema";
import { VmwiLamp } from "../driver/abi.gen";
import { DriverEngine } from "../driver/engine";
import type { loadShim } from "../driver/library";
import type { LineRules } from "../exchange/line_rules";
import type { LineSetup } from "../exchange/phone_exchange";

const LAMP_BITS: Record<MessageLamp, number> = {
  none: 0,
  line_reversal: VmwiLamp.LineReversal,
  high_voltage_dc: VmwiLamp.HighVoltageDc,
  neon: VmwiLamp.Neon,
};
const COMPANDING = { none: 0, mulaw: 1, alaw: 2 } as const;

export function createEngine(config: Config, shim: Awaited<ReturnType<typeof loadShim>>): DriverEngine {
  const engine = new DriverEngine(shim, "realtime");
  const { dahdi, simulator } = config;
  engine.setOption("FlashMaxMs", dahdi.flash_max_ms);
  engine.setOption("EchoCancel", dahdi.echo_cancel_taps);
  engine.setOption("RxGainCdb", Math.round(dahdi.rx_gain_db * 100));
  engine.setOption("TxGainCdb", Math.round(dahdi.tx_gain_db * 100));
  engine.setOption("Buffers", dahdi.buffer_size);
  engine.setOption("WatchdogMs", dahdi.watchdog_seconds * 1000);
  engine.setOption("DtmfExplain", config.dtmf.explain ? 1 : 0);
  engine.setOption("VmwiLamps", LAMP_BITS[config.message_waiting.lamp]);
  engine.setOption("SimEchoCdb", Math.round(simulator.echo_return_loss_db * 100));
  engine.setOption("SimNoiseCdbm0", Math.round(simulator.noise_dbm0 * 100));
  engine.setOption("SimCompanding", COMPANDING[simulator.companding]);
  return engine;
}

/** A card's lines by their channels; simulated ones count from 1. */
export function lineSetups(config: Config, simulatePorts: number | null): LineSetup[] {
  if (simulatePorts === null) return config.dahdi.channels.map((line) => ({ line, device: config.dahdi.device }));
  return Array.from({ length: simulatePorts }, (_, i) => ({ line: i + 1, device: null }));
}

export function lineRules({
  caller_id,
  dahdi,
  dial_tone,
  off_hook_timeout,
  recording,
  tone_zone,
}: Config): LineRules {
  const { seconds, reorder_seconds, howler_seconds } = off_hook_timeout;
  return {
    maxRingMs: dahdi.max_ring_seconds * 1000,
    maxRecordingMs: recording.max_duration_seconds * 1000,
    callerIdScheme: chosenScheme(caller_id.scheme, tone_zone),
    settings: {
      dialTone: dial_tone.enabled ? { timeoutMs: dial_tone.timeout_seconds * 1000 } : null,
      offHookTimeout:
        seconds > 0
          ? { afterMs: seconds * 1000, reorderMs: reorder_seconds * 1000, howlerMs: howler_seconds * 1000 }
          : null,
    },
  };
}
