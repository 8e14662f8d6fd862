/** A recording as lines of JSON; and what is nobody's business, masked. */
import type { DriverEvent } from "../driver/decode";
import type { Entry, Header } from "./recording";
import type { SoundRing } from "./sound_ring";

const LINES_A_PIECE = 256;
const ULAW_SILENCE = 0xff;

/** Who reads them knows what was pressed, or who called. */
const PRIVATE_FIELDS = new Set(["digit", "digits", "name", "number", "text", "url"]);
const masking = (name: string, value: unknown): unknown =>
  PRIVATE_FIELDS.has(name) && typeof value === "string" && value !== "" ? "x" : value;

/** How long a dial turned tells the digit as well. */
const maskedEntry = (entry: Entry): Entry => {
  if ("driver" in entry && entry.driver.kind === "pulse_digit")
    return { driver: { ...entry.driver, durationMs: 0 } satisfies DriverEvent };
  if ("event" in entry && entry.event.type === "dtmf" && entry.event.source === "pulse")
    return { ...entry, event: { ...entry.event, duration: 0 } };
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
    lines.push(masked ? JSON.stringify({ ns, ...maskedEntry(entry) }, masking) : JSON.stringify({ ns, ...entry }));
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
