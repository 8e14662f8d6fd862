/**
 * Messages that wait: the next dial tone stutters, and the telephone's lamp is told while nobody uses the line.
 *
 *   lamp: told ──count changes──▶ queued ──idle for QUIET_MS──▶ telling ──told──▶ told
 *                                   ▲────────cut off, refused─────┘
 */
import type { LineEffect, LineState, Step } from "./model";

/** Of an idle line before it is told: a caller ID after the last burst, a hand that lifts again, come first. */
const QUIET_MS = 1000;

export interface Messages {
  /** 0: none wait. */
  count: number;
  /** queued: not before dueMs, and only while the line is idle. */
  lamp: "told" | "telling" | { dueMs: number };
}

export const NO_MESSAGES: Messages = { count: 0, lamp: "told" };

const idle = ({ service, lifted, ring, pendingRings }: LineState): boolean =>
  service === "up" && !lifted && ring === null && pendingRings.length === 0;

const queued = (state: LineState, atMs: number, count = state.messages.count): LineState => ({
  ...state,
  messages: { count, lamp: { dueMs: atMs + QUIET_MS } },
});

export function messagesWaiting(state: LineState, atMs: number, count: number): Step {
  return { state: queued(state, atMs, count), effects: [] };
}

/** A card that comes back has forgotten its lamp. */
export const lampForgotten = (state: LineState, atMs: number): LineState =>
  state.messages.count > 0 ? queued(state, atMs) : state;

/** A count that changed meanwhile is queued already. */
export function lampTold(state: LineState, atMs: number, whole: boolean): Step {
  if (state.messages.lamp !== "telling") return { state, effects: [] };
  const told: LineState = { ...state, messages: { ...state.messages, lamp: "told" } };
  return { state: whole ? told : queued(state, atMs), effects: [] };
}

/** When time is wanted for it, Unix ms; null: not as things are. */
export function lampDueMs(state: LineState): number | null {
  const { lamp } = state.messages;
  return typeof lamp === "object" && idle(state) ? lamp.dueMs : null;
}

/** A line that has just fallen silent is left alone for a while. */
export function lampWaitsForQuiet(before: LineState, { state, effects }: Step, atMs: number): Step {
  const { lamp } = state.messages;
  if (typeof lamp !== "object" || !idle(state) || idle(before)) return { state, effects };
  return { state: queued(state, Math.max(atMs, lamp.dueMs - QUIET_MS)), effects };
}

export function tellLamp({ state, effects }: Step, atMs: number): Step {
  const dueMs = lampDueMs(state);
  if (dueMs === null || dueMs > atMs) return { state, effects };
  const { count } = state.messages;
  const tell: LineEffect = { kind: "tell_lamp", messages: count };
  return { state: { ...state, messages: { count, lamp: "telling" } }, effects: [...effects, tell] };
}
