/** What replay says: both runs side by side, for people; or as JSON. */
import type { LineEventBody } from "../line/events";
import type { Pair, Verdict } from "./compare";
import type { Header } from "./recording";
import type { ToldEvent } from "./told";

const MARKS: Record<Verdict, string> = { same: " ", other: "~", missing: "-", extra: "+", outside: "·" };
const SHOWN: readonly string[] = [
  "answered",
  "digit",
  "digits",
  "source",
  "active",
  "tone",
  "pattern",
  "reason",
  "duration",
  "heard_ms",
  "duration_ms",
  "voltage",
  "status",
];
const MOST_FIELDS = 3;
const NS_PER_S = 1e9;
const COLUMN = 52;

export const isDifferent = (pairs: readonly Pair[], refusals: readonly string[]): boolean =>
  refusals.length > 0 ||
  pairs.some(({ verdict }) => verdict === "other" || verdict === "missing" || verdict === "extra");

function shown(body: LineEventBody): string {
  const fields = SHOWN.filter((name) => (Reflect.get(body, name) ?? null) !== null)
    .slice(0, MOST_FIELDS)
    .map((name) => `${name}=${textOf(Reflect.get(body, name))}`);
  return [body.type, ...fields].join(" ");
}

const textOf = (value: unknown): string =>
  typeof value === "number" ? String(Math.round(value * 10) / 10) : String(value);

const counts = (pairs: readonly Pair[]): Record<Verdict, number> => {
  const count: Record<Verdict, number> = { same: 0, other: 0, missing: 0, extra: 0, outside: 0 };
  for (const { verdict } of pairs) count[verdict]++;
  return count;
};

export interface ReplayFigures {
  seconds: number;
  tookMs: number;
  notes: readonly string[];
  /** Verbs that were refused otherwise. */
  refusals: readonly string[];
}

export function textReport(header: Header, pairs: readonly Pair[], figures: ReplayFigures): string {
  const at = (event: ToldEvent): string => ((event.atNs - header.from_ns) / NS_PER_S).toFixed(3);
  const lines = [
    `Recorded by ${header.version}, ${header.dumped_at} (${header.reason}); ${figures.seconds.toFixed(1)} s, ` +
      `replayed in ${(figures.tookMs / 1000).toFixed(1)} s.`,
    "",
    `  ${"seconds".padStart(9)}  line  ${"recorded".padEnd(COLUMN)}  ${"replayed".padEnd(COLUMN)}  offset`,
  ];
  for (const { verdict, recorded, replayed, offsetMs, notes } of pairs) {
    const event = (recorded ?? replayed) as ToldEvent;
    const columns = [recorded, replayed].map((one) => (one ? shown(one.body) : "").padEnd(COLUMN));
    const offset = offsetMs === null ? "" : `${offsetMs >= 0 ? "+" : ""}${offsetMs} ms`;
    const note = notes.length === 0 ? "" : `  (${notes.join(", ")})`;
    lines.push(
      `${MARKS[verdict]} ${at(event).padStart(9)}  ${String(event.line).padStart(4)}  ${columns.join("  ")}  ${offset}${note}`.trimEnd(),
    );
  }
  const { same, other, missing, extra, outside } = counts(pairs);
  lines.push(
    "",
    ...figures.refusals.map((refusal) => `~ ${refusal}`),
    ...figures.notes.map((note) => `note: ${note}`),
    `${same} same, ${other} other (~), ${missing} missing (-), ${extra} extra (+), ${outside} not compared (·)`,
  );
  return `${lines.join("\n")}\n`;
}

export function jsonReport(header: Header, pairs: readonly Pair[], figures: ReplayFigures): string {
  const side = (event: ToldEvent | null) =>
    event && { ms: Math.round((event.atNs - header.from_ns) / 1e6), ...event.body };
  const report = {
    same: !isDifferent(pairs, figures.refusals),
    counts: counts(pairs),
    recorded_by: header.version,
    seconds: figures.seconds,
    replayed_in_seconds: figures.tookMs / 1000,
    notes: figures.notes,
    refusals: figures.refusals,
    events: pairs.map(({ verdict, recorded, replayed, offsetMs, notes }) => ({
      verdict,
      line: (recorded ?? replayed)?.line,
      recorded: side(recorded),
      replayed: side(replayed),
      offset_ms: offsetMs,
      notes,
    })),
  };
  return `${JSON.stringify(report, null, 2)}\n`;
}
