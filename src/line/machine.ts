/**
 * The line machine: a pure, total function from (state, input) to (state, effects). It knows no clock, no
 * hardware and no client; every input is legal in every state. line-runner.ts feeds it and carries out
 * the effects in their order.
 *
 *                 line_up                     ring_accepted
 *  INITIALIZING ──────────▶ IDLE ───────────────────────────────▶ RINGING
 *       │                   ▲  │ off_hook        ring_ended          │ ring_ended(answered), off_hook
 *       │ line_down         │  ▼◀─────────────────(unanswered)       ▼
 *       ▼          on_hook  ├─ OFF_HOOK                           IN_CALL
 *     ERROR ◀── line_down ──┴────────────────── on_hook ─────────────┘
 */

import { digit, voiceEnded, voiceStarted, voltage } from "./hearing";
import { hungUp, lifted, lineDown, lineUp } from "./hook";
import { emit, type LineInput, type LineState, notReady, offHook, type Step, unchanged } from "./model";
import { ringAccepted, ringEnded, ringRequested } from "./ringing";

/** May something be played? "wait": held until the telephone is lifted. */
export function playDecision(
  state: LineState,
  when: "now" | "off_hook",
): "now" | "await_answer" | "await_lift" | { code: "line_on_hook" | "line_not_ready"; message: string } {
  if (state.service !== "up") return notReady(state);
  if (state.lifted) return "now";
  if (when === "off_hook") return "await_lift";
  if (state.ring || state.pendingRings.length > 0) return "await_answer";
  return {
    code: "line_on_hook",
    message:
      "The telephone is on-hook, nobody would hear it: ring it first, or send ?when=off_hook to wait for the lift.",
  };
}

export function step(state: LineState, input: LineInput): Step {
  const next = reduce(state, input);
  return next.state === state ? next : { ...next, state: { ...next.state, updatedAtMs: input.atMs } };
}

function reduce(state: LineState, input: LineInput): Step {
  switch (input.type) {
    case "line_up":
      return lineUp(state, input.atMs, input.lifted);
    case "line_down":
      return lineDown(state, input.atMs, input.fault);
    case "off_hook":
      return state.service === "up" && !state.lifted
        ? lifted(state, input.atMs, input.trippedRing)
        : unchanged(state);
    case "on_hook":
      return offHook(state) ? hungUp(state, input.atMs) : unchanged(state);
    case "flash":
      if (!offHook(state)) return unchanged(state);
      return { state: { ...state }, effects: [emit(input.atMs, { type: "flash", duration: input.durationMs })] };
    case "digit":
      return digit(state, input);
    case "voice_started":
      return voiceStarted(state, input.atMs, input.levelDbm0);
    case "voice_ended":
      return voiceEnded(state, input.atMs, input.levelDbm0, input.segmentDbm0);
    case "voltage":
      return voltage(state, input.atMs, input.volts);
    case "alarm":
      return {
        state: { ...state },
        effects: [
          emit(input.atMs, {
            type: "hardware_status",
            status: input.names.length > 0 ? "alarm" : "ok",
            details: { alarms: [...input.names] },
          }),
        ],
      };
    case "ring_requested":
      return ringRequested(state, input.plan);
    case "ring_accepted":
      return ringAccepted(state, input.atMs, input.ringId);
    case "ring_refused":
      return {
        state: { ...state, pendingRings: state.pendingRings.filter((ring) => ring.id !== input.ringId) },
        effects: state.ring || state.lifted ? [] : [{ kind: "cancel_awaiting_answer" }],
      };
    case "ring_ended":
      return state.ring?.id === input.ringId ? ringEnded(state, input.atMs, input.reason) : unchanged(state);
    case "stop_ring_requested":
      return { state, effects: [{ kind: "stop_ring" }] };
    case "playback_started":
      return {
        state: { ...state },
        effects: [
          emit(input.atMs, {
            type: "playback_started",
            playback_id: input.playbackId,
            duration_ms: input.durationMs,
          }),
        ],
      };
    case "playback_ended":
      return {
        state: { ...state },
        effects: [
          emit(input.atMs, {
            type: "playback_finished",
            playback_id: input.playbackId,
            reason: input.reason,
            heard_ms: input.heardMs,
          }),
        ],
      };
  }
}
