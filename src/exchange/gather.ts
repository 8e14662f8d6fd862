/** Digits as clients ask for them, and the rules that this makes, or every field at fault. */
import { parseDigitMap } from "../line/digit_map";
import type { GatherResult, GatherRules } from "../line/gather";
import { invalid } from "./caller_id";
import type { PcmSource } from "./verbs";

export const DEFAULT_TIMEOUT_MS = 5000;
export const DEFAULT_INTER_DIGIT_TIMEOUT_MS = 3000;
export const MIN_TIMEOUT_MS = 100;
export const MAX_TIMEOUT_MS = 600_000;
export const MAX_DIGITS = 64;
const DEFAULT_FINISH_KEY = "#";

export interface GatherRequest {
  /** Omitted: 64. */
  maxDigits?: number;
  /** Keys of which any ends it, "" none; omitted: "#", unless the pattern names it. */
  finishOnKey?: string;
  timeoutMs?: number;
  interDigitTimeoutMs?: number;
  /** A digit map: line/digit_map.ts. */
  pattern?: string;
  /** Omitted: dtmf. */
  bargeIn?: GatherRules["bargeIn"];
}

/** One under way. */
export interface Gather {
  gatherId: string;
  finished: Promise<GatherResult>;
  /** Nothing where it is over. */
  stop(): void;
}

export interface GatherVerb extends GatherRequest {
  /** Heard first, and stopped by what bargeIn says. */
  prompt: PcmSource | null;
  /** Of the prompt, times. */
  loop: number;
  /** As of playback. */
  when: "now" | "off_hook";
}

/** `within`: of which member it is, for complaints. */
export function gatherRules(request: GatherRequest, within = ""): GatherRules {
  const { maxDigits = MAX_DIGITS, timeoutMs = DEFAULT_TIMEOUT_MS, pattern, bargeIn = "dtmf" } = request;
  const { interDigitTimeoutMs = DEFAULT_INTER_DIGIT_TIMEOUT_MS } = request;
  const errors: { field: string; message: string }[] = [];
  if (!(Number.isInteger(maxDigits) && maxDigits >= 1 && maxDigits <= MAX_DIGITS)) {
    errors.push({ field: "max_digits", message: `must be a whole number from 1 to ${MAX_DIGITS}` });
  }
  for (const [field, ms] of [
    ["timeout_ms", timeoutMs],
    ["inter_digit_timeout_ms", interDigitTimeoutMs],
  ] as const) {
    if (ms >= MIN_TIMEOUT_MS && ms <= MAX_TIMEOUT_MS) continue;
    errors.push({ field, message: `must be from ${MIN_TIMEOUT_MS} to ${MAX_TIMEOUT_MS} ms` });
  }
  const map = pattern === undefined ? null : parseDigitMap(pattern);
  if (typeof map === "string") errors.push({ field: "pattern", message: map });
  const digitMap = typeof map === "string" ? null : map;
  const finishOnKey =
    request.finishOnKey ?? (digitMap?.named.includes(DEFAULT_FINISH_KEY) ? "" : DEFAULT_FINISH_KEY);
  if (!/^[0-9*#A-D]{0,16}$/.test(finishOnKey)) {
    errors.push({ field: "finish_on_key", message: 'must be up to 16 of 0-9 * # A-D, or "" for none' });
  } else if ([...finishOnKey].some((key) => digitMap?.named.includes(key))) {
    errors.push({ field: "finish_on_key", message: "must not be a digit that the pattern names" });
  }
  if (errors.length > 0)
    throw invalid(...errors.map(({ field, message }) => ({ field: within + field, message })));
  return { maxDigits, finishOnKey, timeoutMs, interDigitTimeoutMs, digitMap, bargeIn };
}
