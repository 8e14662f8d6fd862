/** From what a client asked for to the rules of a take, or every field at fault. */
import type { TakeRules } from "../audio/recording_take";
import { TELEPHONE_RATE_HZ } from "../audio/source";
import { invalid } from "./caller_id";
import type { RecordRequest } from "./verbs";

const FRAMES_PER_MS = TELEPHONE_RATE_HZ / 1000;
/** Shorter than a pause for breath, and the first word would be lost. */
export const MIN_SILENCE_MS = 500;
export const MIN_DURATION_MS = 100;

export function recordingRules(request: RecordRequest, longestMs: number): TakeRules {
  const { source = "caller", maxDurationMs = longestMs, silenceTimeoutMs, finishOnKey, trim = true } = request;
  const errors: { field: string; message: string }[] = [];
  if (!(maxDurationMs >= MIN_DURATION_MS && maxDurationMs <= longestMs)) {
    const message = `must be from ${MIN_DURATION_MS} to ${longestMs} ms (recording.max_duration_seconds)`;
    errors.push({ field: "max_duration", message });
  }
  if (silenceTimeoutMs !== undefined && !(silenceTimeoutMs >= MIN_SILENCE_MS && silenceTimeoutMs <= longestMs)) {
    errors.push({ field: "silence_timeout", message: `must be from ${MIN_SILENCE_MS} to ${longestMs} ms` });
  }
  if (finishOnKey !== undefined && !/^(any|[0-9*#A-D]{1,16})$/.test(finishOnKey)) {
    errors.push({ field: "finish_on_key", message: 'must be "any", or 1 to 16 of 0-9 * # A-D' });
  }
  if (errors.length > 0) throw invalid(...errors);
  return {
    source,
    maxFrames: Math.round(maxDurationMs * FRAMES_PER_MS),
    silenceFrames: silenceTimeoutMs === undefined ? null : Math.round(silenceTimeoutMs * FRAMES_PER_MS),
    finishOnKey: finishOnKey ?? null,
    trim,
  };
}
