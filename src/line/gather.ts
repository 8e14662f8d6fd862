/**
 * Digits collected, decided purely: what ends it, and when. Times are those of the inputs, in ms of any one clock; the
 * clock itself enters as an input, when `gatherDeadlineMs` says.
 *
 *   prompt ──ended──▶ first digit ──digit──▶ next digit ⟲ ──▶ ended
 *     └──────key (it stops the prompt)──────▶┘
 *
 * A wait runs from the prompt's end, or from a key's release, to the moment in which the next key goes down. While a key
 * is down, or a dial turns back, no time runs out.
 */
import { type DigitMap, type MapPlaces, mapGoesOn, mapMatches, mapNext, mapStart } from "./digit_map";

export interface GatherRules {
  maxDigits: number;
  /** Keys of which any ends it; "": none does. */
  finishOnKey: string;
  /** For the first digit. */
  timeoutMs: number;
  /** For each that follows. */
  interDigitTimeoutMs: number;
  digitMap: DigitMap | null;
  /** What stops the prompt. With "none" it is heard whole, and keys pressed meanwhile do not count. */
  bargeIn: "none" | "dtmf" | "any";
}

/** With a digit map, `complete` and `finish_key` both mean that the digits fit it. */
export type GatherEndReason =
  | "complete"
  | "finish_key"
  | "no_match"
  | "timeout"
  | "hung_up"
  | "stopped"
  /** What it waited for, the answer to a ring, did not come. */
  | "cancelled"
  | "error";

/** How much of a sound was heard. */
export type Played = "whole" | "part" | "none";

export interface GatherResult {
  gatherId: string;
  digits: string;
  reason: GatherEndReason;
  /** Which key it was that ended it. */
  finishKey: string | null;
  /** Of the prompt. */
  heardMs: number;
  played: Played;
  /** From its beginning, with the prompt. */
  durationMs: number;
}

export interface GatherState {
  rules: GatherRules;
  digits: string;
  /** Where the digits have led in the map; null: there is none. */
  places: MapPlaces | null;
  /** It is heard, or waits to be. */
  prompting: boolean;
  /** Of the key that is down, or the dial that turns back. */
  keySinceMs: number | null;
  /** The beginning of the wait that runs. */
  quietSinceMs: number;
  end: { reason: GatherEndReason; finishKey: string | null } | null;
}

export type GatherInput = { atMs: number } & (
  | { type: "prompt_ended" }
  | { type: "key_started" }
  | { type: "digit"; digit: string }
  | { type: "voice_started" }
  | { type: "time" }
  | { type: "left"; reason: "hung_up" | "stopped" | "cancelled" | "error" }
);

/** A key held for longer is held by no finger, and a dial takes 1.3 s for its ten pulses. */
const MAX_KEY_MS = 10_000;

export const gatherStart = (rules: GatherRules, prompting: boolean, atMs: number): GatherState => ({
  rules,
  digits: "",
  places: rules.digitMap && mapStart(rules.digitMap),
  prompting,
  keySinceMs: null,
  quietSinceMs: atMs,
  end: null,
});

/** When time is wanted next; null: never, as things are. */
export function gatherDeadlineMs({
  rules,
  digits,
  prompting,
  keySinceMs,
  quietSinceMs,
  end,
}: GatherState): number | null {
  if (end || prompting) return null;
  if (keySinceMs !== null) return keySinceMs + MAX_KEY_MS;
  return quietSinceMs + (digits === "" ? rules.timeoutMs : rules.interDigitTimeoutMs);
}

/** Where `prompting` turns false before the prompt has ended, it is to be stopped. */
export function gatherStep(state: GatherState, input: GatherInput): GatherState {
  if (state.end) return state;
  const dueMs = gatherDeadlineMs(state);
  // What began in time was pressed in time, however late it is told.
  if (dueMs !== null && (input.atMs > dueMs || (input.type === "time" && input.atMs === dueMs))) {
    return ended(state, state.digits !== "" && matches(state) ? "complete" : "timeout");
  }
  const deaf = state.prompting && state.rules.bargeIn === "none";
  switch (input.type) {
    case "prompt_ended":
      return state.prompting ? { ...state, prompting: false, quietSinceMs: input.atMs } : state;
    case "key_started":
      return deaf ? state : { ...state, prompting: false, keySinceMs: input.atMs };
    case "voice_started":
      if (!state.prompting || state.rules.bargeIn !== "any") return state;
      return { ...state, prompting: false, quietSinceMs: input.atMs };
    case "digit":
      return deaf ? state : pressed({ ...state, prompting: false }, input.digit, input.atMs);
    case "time":
      return state;
    case "left":
      return ended(state, input.reason);
  }
}

function pressed(state: GatherState, digit: string, atMs: number): GatherState {
  const { rules, places } = state;
  if (rules.finishOnKey.includes(digit)) {
    return fits(state) ? ended(state, "finish_key", digit) : ended(state, "no_match");
  }
  const next: GatherState = {
    ...state,
    digits: state.digits + digit,
    places: rules.digitMap && places && mapNext(rules.digitMap, places, digit),
    keySinceMs: null,
    quietSinceMs: atMs,
  };
  if (rules.digitMap && next.places) {
    if (next.places.size === 0) return ended(next, "no_match");
    if (!mapGoesOn(rules.digitMap, next.places)) return ended(next, "complete");
  }
  if (next.digits.length < rules.maxDigits) return next;
  return ended(next, fits(next) ? "complete" : "no_match");
}

const matches = ({ rules, places }: GatherState): boolean =>
  rules.digitMap !== null && places !== null && mapMatches(rules.digitMap, places);
const fits = (state: GatherState): boolean => state.rules.digitMap === null || matches(state);

const ended = (state: GatherState, reason: GatherEndReason, finishKey: string | null = null): GatherState => ({
  ...state,
  prompting: false,
  end: { reason, finishKey },
});
