/** What is heard on a lifted line, and its voltage. */
import type { LineEventBody } from "./events";
import { emit, type LineInput, type LineState, offHook, type Step, unchanged } from "./model";

/** The older server kept this many digits; a client shows them, it does not count on more. */
export const DIGIT_HISTORY_LENGTH = 32;
/** Contract: a change smaller than this is the card's own noise. */
export const VOLTAGE_DEAD_BAND_V = 1;

export function digit(state: LineState, input: LineInput & { type: "digit" }): Step {
  if (!offHook(state)) return unchanged(state);
  const body: LineEventBody = {
    type: "dtmf",
    digit: input.digit,
    duration: input.durationMs,
    ...(input.levelDbm0 === null ? {} : { signal_level: input.levelDbm0 }),
    source: input.source,
    ...(input.pulsesPerSecond ? { pulses_per_second: input.pulsesPerSecond } : {}),
    ...(input.breakPercent ? { break_ratio_percent: input.breakPercent } : {}),
    ...(input.detail ? { detail: input.detail } : {}),
  };
  return {
    state: {
      ...state,
      digits: [...state.digits, input.digit].slice(-DIGIT_HISTORY_LENGTH),
      stats: { ...state.stats, dtmfDigitsReceived: state.stats.dtmfDigitsReceived + 1 },
    },
    effects: [emit(input.atMs, body)],
  };
}

/** What resembled a key and was none: a finding for whoever looks for a fault, no change of the line's state. */
export function keyRefused(state: LineState, input: LineInput & { type: "key_refused" }): Step {
  if (!offHook(state)) return unchanged(state);
  const { digit, reason, detail } = input;
  return { state: { ...state }, effects: [emit(input.atMs, { type: "dtmf_rejected", digit, reason, detail })] };
}

/** What the line's level is said to be when nobody is there to measure it: digital silence, dBm0. */
const SILENCE_DBM0 = -90;

export function voiceStarted(state: LineState, atMs: number, levelDbm0: number): Step {
  if (!offHook(state) || state.talkspurtStartedAtMs !== null) return unchanged(state);
  return {
    state: { ...state, talkspurtStartedAtMs: atMs },
    effects: [
      emit(atMs, {
        type: "voice",
        active: true,
        startMs: atMs,
        endMs: null,
        energyLevel: levelDbm0,
        segmentLevel: levelDbm0,
      }),
    ],
  };
}

/**
 * Contract: below −50 at the end, for clients that compare the level with a threshold instead of reading
 * `active`; on a line whose noise is louder than that they would never see the end.
 */
const TALKSPURT_OVER_DBM0 = -50.1;

export function voiceEnded(state: LineState, atMs: number, levelDbm0: number, segmentDbm0: number): Step {
  const startMs = state.talkspurtStartedAtMs;
  if (startMs === null) return unchanged(state);
  return {
    state: { ...state, talkspurtStartedAtMs: null },
    effects: [
      emit(atMs, {
        type: "voice",
        active: false,
        startMs,
        endMs: Math.max(startMs, atMs),
        energyLevel: Math.min(levelDbm0, TALKSPURT_OVER_DBM0),
        segmentLevel: segmentDbm0,
      }),
    ],
  };
}

/** The line is gone, or nobody is on it any more. */
export const endTalkspurt = (state: LineState, atMs: number): Step =>
  voiceEnded(state, atMs, SILENCE_DBM0, SILENCE_DBM0);

export function progress(state: LineState, input: LineInput & { type: "progress" }): Step {
  if (!offHook(state)) return unchanged(state);
  const { tone, active, startMs, levelDbm0, atMs } = input;
  const endMs = active ? null : Math.max(startMs, atMs);
  const body: LineEventBody = { type: "call_progress", tone, active, startMs, endMs, level: levelDbm0 };
  return { state: { ...state }, effects: [emit(atMs, body)] };
}

export function voltage(state: LineState, atMs: number, volts: number): Step {
  if (state.toldVoltage === null) return { state: { ...state, toldVoltage: volts }, effects: [] };
  if (Math.abs(volts - state.toldVoltage) < VOLTAGE_DEAD_BAND_V) return unchanged(state);
  return {
    state: { ...state, toldVoltage: volts },
    effects: [emit(atMs, { type: "voltage_change", voltage: volts })],
  };
}
