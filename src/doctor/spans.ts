/**
 * /proc/dahdi/N, one for each span, as the driver's dahdi_seq_show prints it:
 *
 *   Span 1: VFXS/0 "Virtual FXS card" (MASTER) RED
 *
 *           1 VFXS/0/0 FXOKS (In use) RED (EC: MG2 - INACTIVE)
 *           2 VFXS/0/1                                            not set up by dahdi_cfg
 *           3 VFXS/0/2 Reserved                                   no such port on the card
 */
import type { System } from "./system";

export interface SpanChannel {
  channel: number;
  /** "VFXS/0/0" */
  name: string;
  /** The span's number and the place in it, from 1: /dev/dahdi/chan/SSS/CCC. */
  span: number;
  place: number;
  /** "FXOKS" as printed; null before dahdi_cfg. */
  signalling: string | null;
  /** The card has no such port: an empty module slot. */
  reserved: boolean;
  inUse: boolean;
  alarms: string[];
  /** "MG2"; null for none. */
  echoCanceller: string | null;
}

const ALARMS = new Set(["RED", "YELLOW", "BLUE", "LOOP", "RECOVERING", "NOTOPEN"]);

export function parseSpan(text: string): SpanChannel[] {
  const span = Number(/^Span (\d+):/.exec(text)?.[1] ?? 0);
  const [head = "", ...rows] = text.split("\n");
  const spanAlarms = head
    .replace(/^Span \d+: \S* ?"[^"]*"/, "")
    .split(/\s+/)
    .filter((word) => ALARMS.has(word));
  const channels: SpanChannel[] = [];
  for (const row of rows) {
    const [, number, name, rest = ""] = /^\s*(\d+) (\S+) ?(.*)$/.exec(row) ?? [];
    if (number === undefined || name === undefined) continue;
    const words = rest
      .replace(/\([^)]*\)/g, "")
      .split(/\s+/)
      .filter(Boolean);
    const [first] = words.filter((word) => !ALARMS.has(word) && word !== "Master");
    const reserved = first === "Reserved";
    channels.push({
      channel: Number(number),
      name,
      span,
      place: channels.length + 1,
      signalling: reserved ? null : (first ?? null),
      reserved,
      inUse: rest.includes("(In use)"),
      alarms: [...new Set([...spanAlarms, ...words.filter((word) => ALARMS.has(word))])],
      echoCanceller: /\(EC: (\S+)/.exec(rest)?.[1] ?? null,
    });
  }
  return channels;
}

export function spanChannels(system: System): SpanChannel[] {
  const names = (system.list("/proc/dahdi") ?? []).filter((name) => /^\d+$/.test(name));
  return names
    .flatMap((name) => parseSpan(system.readText(`/proc/dahdi/${name}`) ?? ""))
    .sort((a, b) => a.channel - b.channel);
}

/** "1-4, 7" */
export function ranges(numbers: readonly number[], separator = ", "): string {
  const runs: [number, number][] = [];
  for (const number of numbers) {
    const last = runs.at(-1);
    if (last && number === last[1] + 1) last[1] = number;
    else runs.push([number, number]);
  }
  return runs.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(separator);
}
