/** From what a client says of a caller to what the display is told and when, or every field at fault. */
import {
  type CallerId,
  type CallTime,
  callTime,
  dialledDigits,
  MAX_NUMBER_DIGITS,
} from "../audio/caller_id/message";
import type { CallerIdSchemeName } from "../audio/caller_id/scheme";
import { callerIdTransmission } from "../audio/caller_id/transmission";
import { TELEPHONE_RATE_HZ } from "../audio/source";
import { burstBeforeSilence, type RingData, type RingPlan } from "../line/cadence";
import { type CallerIdRequest, Refusal } from "./verbs";

/** What may wait in a card before the samples (line_blocks.c's MOST_AHEAD_BLOCKS), and a late thread's blocks. */
const CARD_DELAY_MS = 200;

type FieldError = Refusal["fields"][number];

export function invalid(...errors: readonly FieldError[]): Refusal {
  return new Refusal(
    "invalid_input",
    `${errors.map(({ field, message }) => `${field} ${message}`).join("; ")}.`,
    errors,
  );
}

/** null: there is no such minute. */
function namedTime(text: string): CallTime | null {
  const parts = /^\d{4}-(\d{2})-(\d{2})T(\d{2}):(\d{2})$/.exec(text)?.slice(1).map(Number);
  const date = new Date(`${text}:00Z`);
  if (!parts || Number.isNaN(date.getTime()) || date.getUTCDate() !== parts[1]) return null;
  const [month, day, hour, minute] = parts as [number, number, number, number];
  return { month, day, hour, minute };
}

/** nowMs: Unix ms; shown in this machine's time zone. */
export function callerOf({ name, number, absent, time }: CallerIdRequest, nowMs: number): CallerId {
  const errors: FieldError[] = [];
  if (number !== undefined && dialledDigits(number) === null) {
    const message = `must be a telephone number of 1 to ${MAX_NUMBER_DIGITS} digits, or left out`;
    errors.push({ field: "caller_id.number", message });
  }
  if (absent !== undefined && number !== undefined) {
    errors.push({ field: "caller_id.absent", message: "says why there is no number: leave one of the two out" });
  }
  const shownTime = time === undefined ? callTime(new Date(nowMs)) : namedTime(time);
  if (shownTime === null) {
    errors.push({ field: "caller_id.time", message: "must be YYYY-MM-DDTHH:MM, such as 2026-01-29T12:00" });
  }
  if (errors.length > 0 || shownTime === null) throw invalid(...errors);
  return {
    ...(number === undefined ? {} : { number }),
    ...(name === undefined ? {} : { name }),
    ...(absent === undefined ? {} : { absent }),
    time: shownTime,
  };
}

/** null: the scheme has no way to say it. */
export function callerIdData(caller: CallerId, scheme: CallerIdSchemeName, plan: RingPlan): RingData | null {
  const transmission = callerIdTransmission(caller, scheme);
  if (!transmission) return null;
  const { samples, reversePolarity, when } = transmission;
  if (when === "before_ringing") return { samples, reversePolarity, when };
  const neededMs = Math.ceil((samples.length * 1000) / TELEPHONE_RATE_HZ) + CARD_DELAY_MS;
  const afterBurst = burstBeforeSilence(plan, neededMs);
  if (afterBurst === null) {
    const message = `needs a silence of ${neededMs} ms between two bursts, and ${plan.pattern} has none`;
    throw invalid({ field: "caller_id", message });
  }
  return { samples, reversePolarity, when: { afterBurst } };
}
