/**
 * The configuration of a running server: what it runs with, and what becomes of it when its file changes, by a patch
 * or by somebody's editor. A change is taken whole or not at all; some keys act at once, the others at the next start.
 */
import type { Config } from "./schema";

/** What acts at once: whoever adds a key here makes it so in main.ts. */
export const LIVE_KEYS: readonly string[] = [
  "logging.level",
  "logging.levels",
  "dahdi.max_ring_seconds",
  "dial_tone",
  "off_hook_timeout",
  "caller_id.scheme",
  "recording",
];

export interface ConfigChange {
  /** Keys whose value is another now, dotted. */
  changed: string[];
  /** Of those, what acts already. */
  applied: string[];
  /** What acts at the next start, of this change and of those before. */
  restart_required: string[];
}

const isLive = (key: string): boolean => LIVE_KEYS.some((live) => key === live || key.startsWith(`${live}.`));

/** Where two configurations differ; a list is one key. */
export function differences(before: unknown, after: unknown, prefix = ""): string[] {
  if (!isObject(before) || !isObject(after)) return Bun.deepEquals(before, after) ? [] : [prefix];
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keys].flatMap((key) =>
    differences(before[key], after[key], prefix === "" ? key : `${prefix}.${key}`),
  );
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  value !== null && typeof value === "object" && !Array.isArray(value);

export class RunningConfig {
  /** What the file says, with the environment and the command line over it. */
  #wanted: Config;

  constructor(
    /** What the server was started with. */
    private readonly started: Config,
    /** Makes the live keys act. */
    private readonly apply: (config: Config) => void,
  ) {
    this.#wanted = started;
  }

  /** As it acts: what waits for a restart is not in it yet. */
  get acting(): Config {
    return merged(this.started, this.#wanted) as unknown as Config;
  }

  take(next: Config): ConfigChange {
    const changed = differences(this.#wanted, next);
    this.#wanted = next;
    const applied = changed.filter(isLive);
    if (applied.length > 0) this.apply(this.acting);
    return {
      changed,
      applied,
      restart_required: differences(this.started, next).filter((key) => !isLive(key)),
    };
  }
}

/** The live keys of one, all others of the other. */
function merged(started: object, wanted: object, prefix = ""): Record<string, unknown> {
  const from = wanted as Record<string, unknown>;
  return Object.fromEntries(
    Object.entries({ ...started, ...liveOnly(from, prefix) }).map(([key, value]) => {
      const here = prefix === "" ? key : `${prefix}.${key}`;
      if (isLive(here)) return [key, from[key]];
      return [key, isObject(value) && isObject(from[key]) ? merged(value, from[key], here) : value];
    }),
  );
}

/** A key that was not set before, such as the level of one component. */
const liveOnly = (from: Record<string, unknown>, prefix: string): Record<string, unknown> =>
  Object.fromEntries(Object.entries(from).filter(([key]) => isLive(prefix === "" ? key : `${prefix}.${key}`)));
