/** A recording as lines of JSON; and what is nobody's business, masked. */
import type { DriverEvent } from "../driver/decode";
import type { Entry, Header } from "./recording";
import type { SoundRing } from "./sound_ring";

const LINES_A_PIECE = 256;
const ULAW_SILENCE = 0xff;

/** Who reads them knows what was pressed, or who called. */
const PRIVATE_FIELDS = new Set(["digit", "digits", "name", "text", "url"]);
const DIGIT_MAP = /^[0-9A-DX*#.|[\]-]+$/i;
const masking = (name: string, value: unknown): unknown => {
  if (typeof value !== "string" || value === "") return value;
  // Still a number, so that it can be shown again.
  if (name === "number") return value.replaceAll(/[0-9]/g, "0");
  // A pattern that wants a PIN is the PIN. A ring pattern has a name.
  if (name === "pattern" && DIGIT_MAP.test(value)) return value.replaceAll(/\[[^\]]*\]|[0-9A-DX*#]/gi, "X");
  return PRIVATE_FIELDS.has(name) ? "x" : value;
};

/** How long a dial turned tells the digit, and so does what was measured of it; null: its beginning is left out. */
const maskedEntry = (entry: Entry): Entry | null => {
  if ("driver" in entry && entry.driver.kind === "pulse_start") return null;
  if ("driver" in entry && entry.driver.kind === "pulse_digit") {
    const untold = { durationMs: 0, pulsesPerSecond: null, breakPercent: null };
    return { driver: { ...entry.driver, ...untold } satisfies DriverEvent };
  }
  if ("event" in entry && entry.event.type === "dtmf" && entry.event.source === "pulse") {
    const { pulses_per_second: _, break_ratio_percent: __, ...event } = entry.event;
    return { ...entry, event: { ...event, duration: 0 } };
  }
  return entry;
};

export function* jsonLines(
  header: Header,
  entries: Iterable<{ atNs: number; entry: Entry }>,
  sounds: ReadonlyMap<number, SoundRing>,
  toNs: number,
): Generator<string> {
  let lines = [JSON.stringify(header)];
  let count = 1;
  const { masked } = header;
  for (const { atNs, entry } of entries) {
    const ns = Math.round(atNs);
    const shown = masked ? maskedEntry(entry) : entry;
    if (!shown) continue;
    lines.push(JSON.stringify({ ns, ...shown }, masked ? masking : undefined));
    count++;
    if (lines.length >= LINES_A_PIECE) {
      yield `${lines.join("\n")}\n`;
      lines = [];
    }
  }
  for (const [line, ring] of sounds) {
    for (const { atNs, heard, sent } of ring.blocks(toNs)) {
      const silent = sent.every((code) => code === ULAW_SILENCE);
      const sound = { heard: base64(heard), sent: silent ? null : base64(sent) };
      lines.push(JSON.stringify({ ns: Math.round(atNs), sound, line }));
      count++;
      if (lines.length >= LINES_A_PIECE) {
        yield `${lines.join("\n")}\n`;
        lines = [];
      }
    }
  }
  lines.push(JSON.stringify({ end: count }));
  yield `${lines.join("\n")}\n`;
}

const base64 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
