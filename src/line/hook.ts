/** A line comes and goes, a handset is lifted and hung up. */
import { endTalkspurt } from "./hearing";
import { lampForgotten } from "./messages";
import { emit, type LineState, type Step, unchanged } from "./model";
import { ringEnded } from "./ringing";
import type { LineFault } from "./state";
import { watchLifted } from "./supervision";

export function lineUp(state: LineState, atMs: number, isLifted: boolean): Step {
  if (state.service === "up") return unchanged(state);
  const known = lampForgotten(state, atMs);
  const back: LineState = { ...known, service: "up", fault: null, lifted: false, toldVoltage: null };
  const status = emit(atMs, { type: "hardware_status", status: "ready", details: {} });
  if (isLifted) {
    const then = lifted(back, atMs, false);
    return { state: then.state, effects: [status, ...then.effects] };
  }
  // Whoever saw it lifted before the line was lost must learn that it was hung up meanwhile.
  return { state: back, effects: state.lifted ? [status, emit(atMs, { type: "on_hook" })] : [status] };
}

/** state.lifted is kept: line_up compares it with what the telephone does by then. */
export function lineDown(state: LineState, atMs: number, fault: LineFault): Step {
  if (state.service === "down" && state.fault?.code === fault.code) return unchanged(state);
  const silent = endTalkspurt(state, atMs);
  const quiet = silent.state.ring ? ringEnded(silent.state, atMs, "error") : unchanged(silent.state);
  const stats = quiet.state.session
    ? { ...quiet.state.stats, failedCalls: quiet.state.stats.failedCalls + 1 }
    : quiet.state.stats;
  return {
    state: { ...quiet.state, service: "down", fault, session: null, watch: null, pendingRings: [], stats },
    effects: [
      ...silent.effects,
      ...quiet.effects,
      { kind: "end_playout", reason: "error" },
      emit(atMs, { type: "error", error: fault }),
    ],
  };
}

export function lifted(state: LineState, atMs: number, trippedRing: boolean): Step {
  // The driver tells the ring's end first; where it did not, the lift ends it all the same.
  const stopped = state.ring ? ringEnded(state, atMs, "answered") : unchanged(state);
  const answered = trippedRing || stopped.state !== state;
  const { stats } = stopped.state;
  const session: LineState = {
    ...stopped.state,
    lifted: true,
    session: { startedAtMs: atMs, answered },
    stats: { ...stats, totalCalls: stats.totalCalls + 1, lastCallAtMs: atMs },
  };
  const watched = watchLifted(session, atMs, answered);
  const told = emit(atMs, { type: "off_hook", answered });
  return {
    state: watched.state,
    effects: [...stopped.effects, told, { kind: "start_playout" }, ...watched.effects],
  };
}

export function hungUp(state: LineState, atMs: number): Step {
  const silent = endTalkspurt(state, atMs);
  const { session, stats } = silent.state;
  return {
    state: {
      ...silent.state,
      lifted: false,
      session: null,
      watch: null,
      stats: {
        ...stats,
        successfulCalls: stats.successfulCalls + 1,
        totalDurationMs: stats.totalDurationMs + Math.max(0, atMs - (session?.startedAtMs ?? atMs)),
      },
    },
    effects: [...silent.effects, { kind: "end_playout", reason: "hung_up" }, emit(atMs, { type: "on_hook" })],
  };
}
