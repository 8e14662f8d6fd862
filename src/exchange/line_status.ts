/** A line as its status and its voltage show it. */
import type { LineStats } from "../driver/engine";
import { type LineState, stateName } from "../line/model";
import { voltageStatus } from "../line/voltage";
import type { Clock } from "./clock";
import type { LineStatus, VoltageReading } from "./verbs";

const NS_PER_MS = 1e6;

export function lineStatus(
  line: number,
  channel: number,
  state: LineState,
  volts: number | null,
  clock: Clock,
): LineStatus {
  const { lastCallAtMs } = state.stats;
  const wallMs = (engineMs: number): number => clock.wallMs(engineMs * NS_PER_MS);
  return {
    line,
    channel,
    state: stateName(state),
    lineVoltage: volts,
    lastDtmf: state.digits[state.digits.length - 1] ?? null,
    dtmfHistory: state.digits,
    isVoiceActive: state.talkspurtStartedAtMs !== null,
    messageWaiting: state.messages.count > 0,
    callStats: { ...state.stats, lastCallAtMs: lastCallAtMs === null ? null : wallMs(lastCallAtMs) },
    fault: state.fault,
    updatedAtMs: wallMs(state.updatedAtMs),
  };
}

export function voltageReading(stats: LineStats, lifted: boolean, clock: Clock): VoltageReading {
  if (stats.up === 0 || stats.voltage_known === 0) {
    return { voltage: null, status: "unsupported", measuredAtMs: null, minVoltage: null, maxVoltage: null };
  }
  const voltage = Math.abs(stats.tip_mv - stats.ring_mv) / 1000;
  return {
    voltage,
    status: voltageStatus(voltage, lifted),
    measuredAtMs: clock.wallMs(stats.voltage_time_ns),
    minVoltage: stats.voltage_min_mv / 1000,
    maxVoltage: stats.voltage_max_mv / 1000,
  };
}
