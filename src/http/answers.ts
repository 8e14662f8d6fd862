/** What the exchange knows, in the contract's words. */

import { TELEPHONE_RATE_HZ } from "../audio/source";
import { timestamp } from "../events/published";
import type { LineStatus, VoltageReading } from "../exchange/verbs";

const AUDIO_FORMAT = { sample_rate: TELEPHONE_RATE_HZ, channels: 1, bit_depth: 16 } as const;

const hundredth = (value: number): number => Math.round(value * 100) / 100;
const hundredthOrNull = (value: number | null): number | null => (value === null ? null : hundredth(value));

export function statusAnswer(status: LineStatus) {
  const { callStats } = status;
  const { successfulCalls, totalDurationMs, lastCallAtMs } = callStats;
  return {
    line: status.line,
    state: status.state,
    line_voltage: hundredthOrNull(status.lineVoltage),
    last_dtmf: status.lastDtmf,
    dtmf_history: status.dtmfHistory,
    is_voice_active: status.isVoiceActive,
    message_waiting: status.messageWaiting,
    audio_format: AUDIO_FORMAT,
    call_stats: {
      total_calls: callStats.totalCalls,
      successful_calls: successfulCalls,
      failed_calls: callStats.failedCalls,
      average_duration: successfulCalls > 0 ? hundredth(totalDurationMs / successfulCalls / 1000) : 0,
      last_call_timestamp: lastCallAtMs === null ? null : timestamp(lastCallAtMs),
      dtmf_digits_received: callStats.dtmfDigitsReceived,
    },
    error_message: status.fault === null ? null : `${status.fault.message} ${status.fault.fix}`,
    last_update: timestamp(status.updatedAtMs),
  };
}

export function voltageAnswer(reading: VoltageReading, nowMs: number) {
  return {
    voltage: hundredthOrNull(reading.voltage),
    status: reading.status,
    timestamp: timestamp(reading.measuredAtMs ?? nowMs),
    min_voltage: hundredthOrNull(reading.minVoltage),
    max_voltage: hundredthOrNull(reading.maxVoltage),
  };
}
