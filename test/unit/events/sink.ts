/** What the tests of the event log share. */
import type { EventBus, EventFilter } from "../../../src/events/bus";

export const ALL: EventFilter = { types: null, lines: null };
export const Z = { time: "z", stamp: false } as const;
export const T0 = Date.UTC(2026, 0, 29, 12);

/** A transport whose congestion the test decides. */
export function sink() {
  const frames: Record<string, unknown>[] = [];
  const state = { congested: false };
  return {
    frames,
    state,
    send: (text: string) => frames.push(JSON.parse(text)),
    congested: () => state.congested,
    brief: () => frames.map((frame) => (frame.id ? `${frame.type} ${frame.id}` : frame.type)),
  };
}

export const lift = (bus: EventBus, line = 1, atMs = T0) =>
  bus.publish(line, atMs, 0, { type: "off_hook", answered: false });
export const flash = (bus: EventBus, line = 1) => bus.publish(line, T0, 0, { type: "flash", duration: 300 });
