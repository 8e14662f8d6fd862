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

/** Is it to be heard in rounds, or does anything in it so? That must be in memory before. */
const loops = (value: unknown): boolean =>
  typeof value === "object" &&
  value !== null &&
  Object.entries(value).some(([name, field]) => (name === "loop" && field !== 1) || loops(field));

/** lengthMs: of a sound whose length nobody knew when it was asked for; null: it did not come to its end. */
export async function givenAgain(given: readonly unknown[], lengthMs: number | null): Promise<unknown[]> {
  const kept: KeptSource[] = [];
  const looping = loops(given);
  const again = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(again);
    if (typeof value !== "object" || value === null) return value;
    const { sound } = value as { sound?: { samples?: unknown } };
    if (typeof sound !== "object" || sound === null || !("samples" in sound))
      return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, again(field)]));
    const { samples } = sound;
    if (typeof samples === "number") {
      if (!looping) return silentSound(samples, samples);
      kept.push(KeptSource.of(silentSound(samples, samples)));
      return kept.at(-1);
    }
    return silentSound(null, lengthMs === null ? Number.POSITIVE_INFINITY : lengthMs * SAMPLES_PER_MS);
  };
  const fresh = given.map(again);
  await Promise.all(kept.map((source) => source.gather()));
  return fresh;
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
