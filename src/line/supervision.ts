/**
 * What a lifted telephone hears of the exchange itself, when nobody else plays to it: dial tone (it stutters where
 * messages wait) until the first digit, and what follows when it is left off-hook with nothing happening (a permanent signal).
 *
 *   lifted ──▶ dial_tone ──digit, playback, time──▶ open ──time──▶ reorder ──time──▶ howler ──time──▶ lockout
 *      └── answered, or no dial tone wanted ─────────▲ ◀── a client's playback, from anywhere ────────────┘
 *
 * Time enters as an input: `deadlineMs` says when it is wanted, and the machine turns its changes into `wake`.
 */
import { emit, type LineEffect, type LineState, offHook, type Step, unchanged, type Watch } from "./model";

/** Of the reorder tone where the configuration wants none for a telephone left off-hook. */
const FAR_END_LOST_MS = 30_000;

/** The stage in which a telephone begins that was lifted at atMs, and the tone that it then hears. */
export function watchLifted(state: LineState, atMs: number, answered: boolean): Step {
  const dialTone = state.settings.dialTone !== null && !answered && state.attached === 0;
  return {
    state: { ...state, watch: { stage: dialTone ? "dial_tone" : "open", sinceMs: atMs } },
    effects: dialTone ? [{ kind: "start_tone", tone: state.messages.count > 0 ? "stutter" : "dial" }] : [],
  };
}

/** When time is wanted next; null: never, as things are. */
export function deadlineMs(state: LineState): number | null {
  const { watch, settings } = state;
  if (!watch) return null;
  const { dialTone, offHookTimeout } = settings;
  switch (watch.stage) {
    case "dial_tone": {
      const patienceMs = Math.min(dialTone?.timeoutMs ?? 0, offHookTimeout?.afterMs ?? Number.POSITIVE_INFINITY);
      return watch.sinceMs + patienceMs;
    }
    case "open": {
      const { playing, recording, gathering, attached, talkspurtStartedAtMs } = state;
      const busy = playing > 0 || recording || gathering || attached > 0 || talkspurtStartedAtMs !== null;
      return offHookTimeout && !busy ? watch.sinceMs + offHookTimeout.afterMs : null;
    }
    case "reorder":
      return watch.sinceMs + (offHookTimeout?.reorderMs || FAR_END_LOST_MS);
    case "howler":
      return watch.sinceMs + (offHookTimeout?.howlerMs ?? 0);
    case "lockout":
      return null;
  }
}

export function timePassed(state: LineState, atMs: number): Step {
  const dueMs = deadlineMs(state);
  const { watch, settings } = state;
  if (!watch || dueMs === null || dueMs > atMs) return unchanged(state);
  const afterMs = settings.offHookTimeout?.afterMs;
  const leftOffHook = afterMs !== undefined && watch.sinceMs + afterMs <= atMs;
  if (watch.stage === "dial_tone" && !leftOffHook) {
    return { state: { ...state, watch: { ...watch, stage: "open" } }, effects: [{ kind: "stop_tone" }] };
  }
  if (watch.stage === "reorder") return enter(state, atMs, "howler");
  if (watch.stage === "howler") return enter(state, atMs, "lockout");
  const told = emit(atMs, { type: "off_hook_timeout", idle_ms: Math.round(atMs - watch.sinceMs) });
  const next = enter(state, atMs, "reorder");
  return { state: next.state, effects: [told, ...next.effects] };
}

/** The stage, or the first after it that is to last at all. */
function enter(state: LineState, atMs: number, stage: "reorder" | "howler" | "lockout"): Step {
  const { reorderMs = 0, howlerMs = 0 } = state.settings.offHookTimeout ?? {};
  if (stage === "reorder" && reorderMs === 0) return enter(state, atMs, "howler");
  if (stage === "howler" && howlerMs === 0) return enter(state, atMs, "lockout");
  const effect: LineEffect = stage === "lockout" ? { kind: "stop_tone" } : { kind: "start_tone", tone: stage };
  return { state: { ...state, watch: { stage, sinceMs: atMs } }, effects: [effect] };
}

/** Nobody is there any more: heard as at any exchange, unless a client plays. */
export function farEndLost(state: LineState, atMs: number): Step {
  if (!offHook(state) || state.playing > 0 || state.attached > 0) return unchanged(state);
  const watch: Watch = { stage: "reorder", sinceMs: atMs };
  return { state: { ...state, watch }, effects: [{ kind: "start_tone", tone: "reorder" }] };
}

/** Somebody is there: the watch begins anew. A telephone that was found left off-hook stays that until hung up. */
export function active(step: Step, atMs: number): Step {
  const { watch, settings } = step.state;
  if (watch?.stage !== "open" || !settings.offHookTimeout) return step;
  return { ...step, state: { ...step.state, watch: anew(watch, atMs) } };
}

/** The first digit ends the dial tone as its key goes down. */
export function dialling(step: Step, atMs: number): Step {
  return step.state.watch?.stage === "dial_tone" ? taken(step, atMs) : active(step, atMs);
}

/** A client plays: whatever we sounded gives way. */
export function taken(step: Step, atMs: number): Step {
  const { watch } = step.state;
  if (!watch || watch.stage === "open") return active(step, atMs);
  const stop: LineEffect[] = watch.stage === "lockout" ? [] : [{ kind: "stop_tone" }];
  return {
    state: { ...step.state, watch: { ...anew(watch, atMs), stage: "open" } },
    effects: [...stop, ...step.effects],
  };
}

/** Events may be dated back; the watch never is. */
const anew = (watch: Watch, atMs: number): Watch => ({ ...watch, sinceMs: Math.max(watch.sinceMs, atMs) });
