/** From what a client asked for to a tone that can be played, or every field at fault. */
import { MAX_TONE_FREQUENCIES } from "../audio/tone_notation";
import { PLAIN_TONE_LEVEL_DBM0, type TonePlan } from "../audio/tone_plan";
import { TONE_NAMES, TONE_ZONES, type ToneName, toneZone, zoneTone } from "../audio/tone_zones";
import { Refusal, type ToneRequest } from "./verbs";

/** Half the sampling rate. */
export const TONE_LIMIT_HZ = 4000;
export const MAX_TONE_MS = 600_000;
/** Nobody who presses "try it" wants ten minutes; a named tone needs its cadence to be recognised. */
export const DEFAULT_TONE_MS = 1000;
export const DEFAULT_NAMED_TONE_MS = 5000;

/** zone: where the request names none. */
export function planTone(request: ToneRequest, zone: string): { plan: TonePlan; durationMs: number } {
  const errors: { field: string; message: string }[] = [];
  const { frequenciesHz, tone } = request;
  if ((frequenciesHz === undefined) === (tone === undefined)) {
    errors.push({ field: "frequency", message: "is missing: give one of frequency, frequencies and tone" });
  }
  const name = tone?.toLowerCase() as ToneName | undefined;
  if (name !== undefined && !TONE_NAMES.includes(name)) {
    errors.push({ field: "tone", message: `must be one of ${TONE_NAMES.join(", ")}` });
  }
  if (request.zone !== undefined && tone === undefined) {
    errors.push({ field: "zone", message: "goes with tone: frequencies are the same everywhere" });
  } else if (request.zone !== undefined && toneZone(request.zone) === null) {
    errors.push({ field: "zone", message: `must be one of ${TONE_ZONES.join(", ")}` });
  }
  if (frequenciesHz && (frequenciesHz.length < 1 || frequenciesHz.length > MAX_TONE_FREQUENCIES)) {
    errors.push({ field: "frequencies", message: `must hold 1 to ${MAX_TONE_FREQUENCIES} frequencies` });
  }
  for (const hz of frequenciesHz ?? []) {
    if (!(hz > 0 && hz < TONE_LIMIT_HZ)) {
      errors.push({
        field: "frequency",
        message: `must be more than 0 and less than ${TONE_LIMIT_HZ} Hz, not ${hz}`,
      });
    }
  }
  const durationMs = request.durationMs ?? (name === undefined ? DEFAULT_TONE_MS : DEFAULT_NAMED_TONE_MS);
  if (!(durationMs >= 1 && durationMs <= MAX_TONE_MS)) {
    errors.push({ field: "duration", message: `must be from 1 to ${MAX_TONE_MS} ms` });
  }
  if (errors.length > 0) {
    throw new Refusal(
      "invalid_input",
      `${errors.map(({ field, message }) => `${field} ${message}`).join("; ")}.`,
      errors,
    );
  }
  const plan = name === undefined ? plainTone(frequenciesHz ?? []) : zoneTone(request.zone ?? zone, name);
  return { plan, durationMs };
}

const plainTone = (frequenciesHz: readonly number[]): TonePlan => ({
  levelDbm0: PLAIN_TONE_LEVEL_DBM0,
  segments: [{ frequenciesHz, ms: null }],
});
