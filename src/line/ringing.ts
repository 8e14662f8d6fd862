/** The bell: asked for, accepted by the driver, ended. */
import type { RingPlan } from "./cadence";
import { emit, type LineEffect, type LineState, notReady, type Step, unchanged } from "./model";
import type { RingStopReason } from "./state";

export function ringRequested(state: LineState, plan: RingPlan): Step {
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

export function ringAccepted(state: LineState, atMs: number, ringId: number): Step {
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

export function ringEnded(state: LineState, atMs: number, reason: RingStopReason): Step {
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
  if (unanswered && state.pendingRings.length === 0) {
    effects.push({ kind: "cancel_awaiting_answer", lineLost: reason === "error" });
  }
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
