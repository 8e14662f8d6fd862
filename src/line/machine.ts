/**
 * The line machine: a pure, total function from (state, input) to (state, effects). It knows no clock, no
 * hardware and no client; every input is legal in every state. exchange/line_machine.ts keeps its
 * state, exchange/line_runner.ts feeds it and carries out the effects in their order.
 *
 *                 line_up                     ring_accepted
 *  INITIALIZING ──────────▶ IDLE ───────────────────────────────▶ RINGING
 *       │                   ▲  │ off_hook        ring_ended          │ ring_ended(answered), off_hook
 *       │ line_down         │  ▼◀─────────────────(unanswered)       ▼
 *       ▼          on_hook  ├─ OFF_HOOK                           IN_CALL
 *     ERROR ◀── line_down ──┴────────────────── on_hook ─────────────┘
 */

import { digit, keyRefused, progress, voiceEnded, voiceStarted, voltage } from "./hearing";
import { hungUp, lifted, lineDown, lineUp } from "./hook";
import { lampDueMs, lampTold, lampWaitsForQuiet, messagesWaiting, tellLamp } from "./messages";
import { emit, type LineInput, type LineState, notReady, offHook, type Step, unchanged } from "./model";
import { ringAccepted, ringEnded, ringRequested } from "./ringing";
import { active, dialling, farEndLost, taken, timePassed, deadlineMs as watchDeadlineMs } from "./supervision";

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

/** When time is wanted next; null: never, as things are. */
export function deadlineMs(state: LineState): number | null {
  const dueMs = [watchDeadlineMs(state), lampDueMs(state)].filter((each) => each !== null);
  return dueMs.length > 0 ? Math.min(...dueMs) : null;
}

export function step(state: LineState, input: LineInput): Step {
  const next = lampWaitsForQuiet(state, reduce(state, input), input.atMs);
  if (next.state === state) return next;
  const wakeMs = deadlineMs(next.state);
  return {
    state: { ...next.state, updatedAtMs: input.atMs },
    effects: wakeMs === deadlineMs(state) ? next.effects : [...next.effects, { kind: "wake", atMs: wakeMs }],
  };
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
      return active(
        { state: { ...state }, effects: [emit(input.atMs, { type: "flash", duration: input.durationMs })] },
        input.atMs,
      );
    case "digit_started":
      return dialling(unchanged(state), input.atMs);
    case "digit":
      return dialling(digit(state, input), input.atMs);
    case "key_refused":
      return keyRefused(state, input);
    case "voice_started":
      return active(voiceStarted(state, input.atMs, input.levelDbm0), input.atMs);
    case "voice_ended":
      return active(voiceEnded(state, input.atMs, input.levelDbm0, input.segmentDbm0), input.atMs);
    case "progress":
      return active(progress(state, input), input.atMs);
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
        effects: state.ring || state.lifted ? [] : [{ kind: "cancel_awaiting_answer", lineLost: false }],
      };
    case "ring_ended":
      return state.ring?.id === input.ringId ? ringEnded(state, input.atMs, input.reason) : unchanged(state);
    case "stop_ring_requested":
      return { state, effects: [{ kind: "stop_ring" }] };
    case "settings_changed":
      // A watch that begins now counts from now.
      return active({ state: { ...state, settings: input.settings }, effects: [] }, input.atMs);
    case "far_end_lost":
      return farEndLost(state, input.atMs);
    case "time":
      return tellLamp(timePassed(state, input.atMs), input.atMs);
    case "messages_waiting":
      return messagesWaiting(state, input.atMs, input.count);
    case "lamp_told":
      return lampTold(state, input.atMs, input.whole);
    case "playback_requested":
      return taken(unchanged(state), input.atMs);
    case "playback_started":
      return playbackStarted(state, input);
    case "playback_paused":
    case "playback_resumed":
      return playbackMoved(state, input);
    case "playback_ended":
      return playbackEnded(state, input);
    case "attached":
      return taken({ state: { ...state, attached: state.attached + 1 }, effects: [] }, input.atMs);
    case "detached":
      return active({ state: { ...state, attached: Math.max(0, state.attached - 1) }, effects: [] }, input.atMs);
    case "recording_started":
      return recordingStarted(state, input);
    case "recording_ended":
      return recordingEnded(state, input);
    case "gather_started":
      return taken({ state: { ...state, gathering: true }, effects: [] }, input.atMs);
    case "gather_ended":
      return gatherEnded(state, input);
    case "announcement_ended":
      return announcementEnded(state, input);
  }
}

function playbackStarted(state: LineState, input: LineInput & { type: "playback_started" }): Step {
  const { atMs, playbackId, durationMs } = input;
  const told = emit(atMs, { type: "playback_started", playback_id: playbackId, duration_ms: durationMs });
  return taken({ state: { ...state, playing: state.playing + 1 }, effects: [told] }, atMs);
}

function playbackMoved(
  state: LineState,
  { type, atMs, playbackId, positionMs }: LineInput & { type: "playback_paused" | "playback_resumed" },
): Step {
  const told = emit(atMs, { type, playback_id: playbackId, position_ms: positionMs });
  return { state: { ...state }, effects: [told] };
}

function playbackEnded(state: LineState, input: LineInput & { type: "playback_ended" }): Step {
  const { atMs, playbackId, reason, heardMs, bargedBy } = input;
  const body = {
    type: "playback_finished",
    playback_id: playbackId,
    reason,
    heard_ms: heardMs,
    ...(bargedBy ? { barged_by: bargedBy } : {}),
  } as const;
  return active(
    { state: { ...state, playing: Math.max(0, state.playing - 1) }, effects: [emit(atMs, body)] },
    atMs,
  );
}

/** Somebody listens: a telephone is not left off-hook meanwhile, and no tone of ours gets into it. */
function recordingStarted(
  state: LineState,
  { atMs, recordingId }: LineInput & { type: "recording_started" },
): Step {
  const told = emit(atMs, { type: "recording_started", recording_id: recordingId });
  return taken({ state: { ...state, recording: true }, effects: [told] }, atMs);
}

function recordingEnded(state: LineState, input: LineInput & { type: "recording_ended" }): Step {
  const { atMs, recordingId, reason, durationMs, bytes } = input;
  const body = {
    type: "recording_finished",
    recording_id: recordingId,
    reason,
    duration_ms: durationMs,
    bytes,
  } as const;
  return active({ state: { ...state, recording: false }, effects: [emit(atMs, body)] }, atMs);
}

function gatherEnded(state: LineState, { atMs, result }: LineInput & { type: "gather_ended" }): Step {
  const { gatherId, digits, reason, finishKey, heardMs, played, durationMs } = result;
  const told = emit(atMs, {
    type: "gather_finished",
    gather_id: gatherId,
    digits,
    reason,
    finish_key: finishKey,
    heard_ms: heardMs,
    played,
    duration_ms: durationMs,
  });
  return active({ state: { ...state, gathering: false }, effects: [told] }, atMs);
}

function announcementEnded(state: LineState, { atMs, result }: LineInput & { type: "announcement_ended" }): Step {
  const { announceId, outcome, answeredAfterMs, heardMs, played, gather } = result;
  const told = emit(atMs, {
    type: "announce_finished",
    announce_id: announceId,
    outcome,
    answered_after_ms: answeredAfterMs,
    heard_ms: heardMs,
    played,
    ...(gather ? { digits: gather.digits, gather_reason: gather.reason, finish_key: gather.finishKey } : {}),
  });
  return { state: { ...state }, effects: [told] };
}
