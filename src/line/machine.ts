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
import type { RingPlan } from "./cadence";
import type { LineEventBody } from "./events";
import type { CallStats, DigitSource, LineFault, LineStateName, PlaybackEndReason, RingStopReason } from "./state";

/** The older server kept this many digits; a client shows them, it does not count on more. */
export const DIGIT_HISTORY_LENGTH = 32;
/** Contract: a change smaller than this is the card's own noise. */
export const VOLTAGE_DEAD_BAND_V = 1;

export interface RunningRing {
  id: number;
  plan: RingPlan;
  startedAtMs: number;
}

export interface LineState {
  /** unknown until the driver has said anything at all. */
  service: "unknown" | "up" | "down";
  fault: LineFault | null;
  lifted: boolean;
  /** The off-hook session under way. */
  session: { startedAtMs: number; answered: boolean } | null;
  /** Accepted by the driver, not yet ended. */
  ring: RunningRing | null;
  /** Asked of the driver, no word yet. */
  pendingRings: readonly { id: number; plan: RingPlan }[];
  nextRingId: number;
  talkspurtStartedAtMs: number | null;
  digits: readonly string[];
  /** The voltage last told, V; null before the first reading. */
  toldVoltage: number | null;
  stats: CallStats;
  updatedAtMs: number;
}

/** atMs: when it happened, Unix ms. */
export type LineInput = { atMs: number } & (
  | { type: "line_up"; lifted: boolean }
  | { type: "line_down"; fault: LineFault }
  | { type: "off_hook"; trippedRing: boolean }
  | { type: "on_hook" }
  | { type: "flash"; durationMs: number }
  | { type: "digit"; digit: string; source: DigitSource; durationMs: number; levelDbm0: number | null }
  | { type: "voice_started"; levelDbm0: number }
  | { type: "voice_ended"; levelDbm0: number; segmentDbm0: number }
  | { type: "voltage"; volts: number }
  | { type: "alarm"; names: readonly string[] }
  | { type: "ring_requested"; plan: RingPlan }
  | { type: "ring_accepted"; ringId: number }
  | { type: "ring_refused"; ringId: number }
  | { type: "ring_ended"; ringId: number; reason: RingStopReason }
  | { type: "stop_ring_requested" }
  | { type: "playback_started"; playbackId: string; durationMs: number | null }
  | { type: "playback_ended"; playbackId: string; reason: PlaybackEndReason; heardMs: number }
);

export type LineEffect =
  | { kind: "emit"; atMs: number; body: LineEventBody }
  | { kind: "ring"; ringId: number; plan: RingPlan }
  | { kind: "stop_ring" }
  /** The telephone was lifted: what waits may play. */
  | { kind: "start_playout" }
  /** Nobody hears it any more. */
  | { kind: "end_playout"; reason: PlaybackEndReason }
  /** The ring ended unanswered: what waited for the answer will not play. */
  | { kind: "cancel_awaiting_answer" }
  | { kind: "refuse"; code: "line_off_hook" | "line_not_ready"; message: string };

export interface Step {
  state: LineState;
  effects: readonly LineEffect[];
}

export function initialState(atMs: number): LineState {
  return {
    service: "unknown",
    fault: null,
    lifted: false,
    session: null,
    ring: null,
    pendingRings: [],
    nextRingId: 1,
    talkspurtStartedAtMs: null,
    digits: [],
    toldVoltage: null,
    stats: {
      totalCalls: 0,
      successfulCalls: 0,
      failedCalls: 0,
      totalDurationMs: 0,
      lastCallAtMs: null,
      dtmfDigitsReceived: 0,
    },
    updatedAtMs: atMs,
  };
}

/** The state's name follows from the facts: it is never stored, so it can never contradict them. */
export function stateName(state: LineState): LineStateName {
  if (state.service === "unknown") return "INITIALIZING";
  if (state.service === "down") return "ERROR";
  if (state.lifted) return state.session?.answered ? "IN_CALL" : "OFF_HOOK";
  return state.ring ? "RINGING" : "IDLE";
}

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

/** `lifted` alone is memory while the line is down. */
const offHook = (state: LineState): boolean => state.service === "up" && state.lifted;
const unchanged = (state: LineState): Step => ({ state, effects: [] });
const emit = (atMs: number, body: LineEventBody): LineEffect => ({ kind: "emit", atMs, body });

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

function lineUp(state: LineState, atMs: number, isLifted: boolean): Step {
  if (state.service === "up") return unchanged(state);
  const back: LineState = { ...state, service: "up", fault: null, lifted: false, toldVoltage: null };
  const status = emit(atMs, { type: "hardware_status", status: "ready", details: {} });
  if (isLifted) {
    const then = lifted(back, atMs, false);
    return { state: then.state, effects: [status, ...then.effects] };
  }
  // Whoever saw it lifted before the line was lost must learn that it was hung up meanwhile.
  return { state: back, effects: state.lifted ? [status, emit(atMs, { type: "on_hook" })] : [status] };
}

/** state.lifted is kept: line_up compares it with what the telephone does by then. */
function lineDown(state: LineState, atMs: number, fault: LineFault): Step {
  if (state.service === "down" && state.fault?.code === fault.code) return unchanged(state);
  const silent = endTalkspurt(state, atMs);
  const quiet = silent.state.ring ? ringEnded(silent.state, atMs, "error") : unchanged(silent.state);
  const stats = quiet.state.session
    ? { ...quiet.state.stats, failedCalls: quiet.state.stats.failedCalls + 1 }
    : quiet.state.stats;
  return {
    state: { ...quiet.state, service: "down", fault, session: null, pendingRings: [], stats },
    effects: [
      ...silent.effects,
      ...quiet.effects,
      { kind: "end_playout", reason: "error" },
      emit(atMs, { type: "error", error: fault }),
    ],
  };
}

function lifted(state: LineState, atMs: number, trippedRing: boolean): Step {
  // The driver tells the ring's end first; where it did not, the lift ends it all the same.
  const stopped = state.ring ? ringEnded(state, atMs, "answered") : unchanged(state);
  const answered = trippedRing || stopped.state !== state;
  const { stats } = stopped.state;
  return {
    state: {
      ...stopped.state,
      lifted: true,
      session: { startedAtMs: atMs, answered },
      stats: { ...stats, totalCalls: stats.totalCalls + 1, lastCallAtMs: atMs },
    },
    effects: [...stopped.effects, emit(atMs, { type: "off_hook", answered }), { kind: "start_playout" }],
  };
}

function hungUp(state: LineState, atMs: number): Step {
  const silent = endTalkspurt(state, atMs);
  const { session, stats } = silent.state;
  return {
    state: {
      ...silent.state,
      lifted: false,
      session: null,
      stats: {
        ...stats,
        successfulCalls: stats.successfulCalls + 1,
        totalDurationMs: stats.totalDurationMs + Math.max(0, atMs - (session?.startedAtMs ?? atMs)),
      },
    },
    effects: [...silent.effects, { kind: "end_playout", reason: "hung_up" }, emit(atMs, { type: "on_hook" })],
  };
}

function digit(state: LineState, input: LineInput & { type: "digit" }): Step {
  if (!offHook(state)) return unchanged(state);
  const body: LineEventBody = {
    type: "dtmf",
    digit: input.digit,
    duration: input.durationMs,
    ...(input.levelDbm0 === null ? {} : { signal_level: input.levelDbm0 }),
    source: input.source,
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

/** What the line's level is said to be when nobody is there to measure it: digital silence, dBm0. */
const SILENCE_DBM0 = -90;

function voiceStarted(state: LineState, atMs: number, levelDbm0: number): Step {
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

function voiceEnded(state: LineState, atMs: number, levelDbm0: number, segmentDbm0: number): Step {
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

const endTalkspurt = (state: LineState, atMs: number): Step => voiceEnded(state, atMs, SILENCE_DBM0, SILENCE_DBM0);

function voltage(state: LineState, atMs: number, volts: number): Step {
  if (state.toldVoltage === null) return { state: { ...state, toldVoltage: volts }, effects: [] };
  if (Math.abs(volts - state.toldVoltage) < VOLTAGE_DEAD_BAND_V) return unchanged(state);
  return {
    state: { ...state, toldVoltage: volts },
    effects: [emit(atMs, { type: "voltage_change", voltage: volts })],
  };
}

function notReady(state: LineState): { code: "line_not_ready"; message: string } {
  return {
    code: "line_not_ready",
    message: state.fault
      ? `The line is out of service: ${state.fault.message} ${state.fault.fix}`
      : "The line is still being opened: try again in a second.",
  };
}

function ringRequested(state: LineState, plan: RingPlan): Step {
  if (state.service !== "up") return { state, effects: [{ kind: "refuse", ...notReady(state) }] };
  if (state.lifted) {
    const message = "The telephone is lifted, its bell cannot ring: wait for on_hook.";
    return { state, effects: [{ kind: "refuse", code: "line_off_hook", message }] };
  }
  const id = state.nextRingId;
  const ring: LineEffect = { kind: "ring", ringId: id, plan };
  const replaces = state.ring !== null || state.pendingRings.length > 0;
  return {
    state: { ...state, nextRingId: id + 1, pendingRings: [...state.pendingRings, { id, plan }] },
    effects: replaces ? [{ kind: "stop_ring" }, ring] : [ring],
  };
}

function ringAccepted(state: LineState, atMs: number, ringId: number): Step {
  const accepted = state.pendingRings.find((ring) => ring.id === ringId);
  if (!accepted) return unchanged(state);
  const { plan } = accepted;
  // Stopped rings are told by the driver; one that was not cannot be left without its ring_stop.
  const before = state.ring ? ringEnded(state, atMs, "stopped") : unchanged(state);
  return {
    state: {
      ...before.state,
      ring: { id: ringId, plan, startedAtMs: atMs },
      pendingRings: state.pendingRings.filter((ring) => ring.id !== ringId),
    },
    effects: [
      ...before.effects,
      emit(atMs, {
        type: "ring_start",
        pattern: plan.pattern,
        repeat: plan.repeat,
        duration: plan.durationMs,
      }),
    ],
  };
}

function ringEnded(state: LineState, atMs: number, reason: RingStopReason): Step {
  const { ring, stats } = state;
  if (!ring) return unchanged(state);
  const unanswered = reason !== "answered";
  const effects: LineEffect[] = [
    emit(atMs, {
      type: "ring_stop",
      pattern: ring.plan.pattern,
      repeat: ring.plan.repeat,
      duration: ring.plan.durationMs,
      reason,
    }),
  ];
  if (unanswered && state.pendingRings.length === 0) effects.push({ kind: "cancel_awaiting_answer" });
  return {
    state: {
      ...state,
      ring: null,
      stats: unanswered
        ? {
            ...stats,
            totalCalls: stats.totalCalls + 1,
            failedCalls: stats.failedCalls + 1,
            lastCallAtMs: ring.startedAtMs,
          }
        : stats,
    },
    effects,
  };
}
