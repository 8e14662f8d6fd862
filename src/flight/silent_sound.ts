/** What was given to a verb, given again: sounds are as long as they were, and silent. */
import { KeptSource } from "../audio/kept_source";
import type { PcmSource } from "../audio/source";
import type { Entry } from "./recording";

const SAMPLES_PER_MS = 8;

/** samples: as it is announced; lengthSamples: as it turns out to be. */
function silentSound(samples: number | null, lengthSamples: number): PcmSource {
  let left = lengthSamples;
  return {
    samples,
    heldBytes: 0,
    read: (into) => {
      const count = Math.min(left, into.length);
      into.fill(0, 0, count);
      left -= count;
      return count;
    },
  };
}

const loops = (value: unknown): boolean =>
  typeof value === "object" && value !== null && "loop" in value && value.loop !== undefined && value.loop !== 1;

/** What is to be heard in rounds must be in memory before. */
export async function gathered(given: readonly unknown[]): Promise<unknown[]> {
  if (!given.some(loops)) return [...given];
  return Promise.all(
    given.map(async (value) => {
      if (!isSource(value)) return value;
      const kept = KeptSource.of(value);
      await kept.gather();
      return kept;
    }),
  );
}

const isSource = (value: unknown): value is PcmSource =>
  typeof value === "object" && value !== null && "read" in value;

/** lengthMs: of a sound whose length nobody knew when it was asked for; null: it did not come to its end. */
export function givenAgain(given: readonly unknown[], lengthMs: number | null): unknown[] {
  return given.map((value) => again(value, lengthMs));
}

function again(value: unknown, lengthMs: number | null): unknown {
  if (Array.isArray(value)) return value.map((one) => again(one, lengthMs));
  if (typeof value !== "object" || value === null) return value;
  const { sound } = value as { sound?: { samples?: unknown } };
  if (typeof sound === "object" && sound !== null && "samples" in sound) {
    const { samples } = sound;
    if (typeof samples === "number") return silentSound(samples, samples);
    return silentSound(null, lengthMs === null ? Number.POSITIVE_INFINITY : lengthMs * SAMPLES_PER_MS);
  }
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, again(field, lengthMs)]));
}

/** How long the playback was heard that the verb at that place began; null: it was cut off, or goes on. */
export function playedMs(entries: readonly { entry: Entry }[], place: number): number | null {
  const next = entries[place + 1]?.entry;
  if (!next || !("id" in next)) return null;
  for (const { entry } of entries) {
    if (!("event" in entry) || entry.event.type !== "playback_finished") continue;
    if (entry.event.playback_id === next.id)
      return entry.event.reason === "completed" ? entry.event.heard_ms : null;
  }
  return null;
}
