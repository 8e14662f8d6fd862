/** What the tests of the event log share. */
import type { EventBus, EventFilter } from "../../../src/events/bus";
import type { Frame } from "../../../src/events/subscription";

export const ALL: EventFilter = { types: null, lines: null };
export const Z = { time: "z", stamp: false } as const;
export const T0 = Date.UTC(2026, 0, 29, 12);

/** A transport whose congestion the test decides. */
export function sink() {
  const frames: Record<string, unknown>[] = [];
  const state = { congested: false };
  const writes: unknown[][] = [];
  const inBrief = (frame: Record<string, unknown>) => (frame.id ? `${frame.type} ${frame.id}` : frame.type);
  return {
    frames,
    /** In brief, what went out in each write. */
    writes,
    state,
    send: (sent: readonly Frame[]) => {
      const write = sent.map(({ text }) => JSON.parse(text));
      frames.push(...write);
      writes.push(write.map(inBrief));
    },
    congested: () => state.congested,
    brief: () => frames.map(inBrief),
  };
}

export const lift = (bus: EventBus, line = 1, atMs = T0) =>
  bus.publish(line, atMs, 0, { type: "off_hook", answered: false });
export const flash = (bus: EventBus, line = 1) => bus.publish(line, T0, 0, { type: "flash", duration: 300 });
