/** A recording's files: ID.wav, ID.wav.part while it is written, and ID.json that says what the sound cannot. */
import { readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { TELEPHONE_RATE_HZ } from "../audio/source";
import { readWavHeader, WAV_HEADER_BYTES, WAV_SAMPLE_BYTES, wavHeader } from "../audio/wav_header";
import { OpenFile } from "./open_file";
import { RECORDING_ID, type Recording } from "./recording";

export const wavPath = (folder: string, id: string): string => join(folder, `${id}.wav`);
export const partPath = (folder: string, id: string): string => join(folder, `${id}.wav.part`);
const notesPath = (folder: string, id: string): string => join(folder, `${id}.json`);

/** Of the recording's file, and the process that writes it. */
interface Notes extends Pick<Recording, "line" | "source" | "startedAtMs" | "lostMs" | "reason"> {
  writer: string;
}

/** Whole or not there at all, also after a power cut. */
export async function writeNotes(folder: string, recording: Recording, writer: string): Promise<void> {
  const { id, line, source, startedAtMs, lostMs, reason } = recording;
  const notes: Notes = { line, source, startedAtMs, lostMs, reason, writer };
  const path = notesPath(folder, id);
  const fresh = `${path}.new`;
  const file = await OpenFile.open(fresh, "w");
  try {
    const text = new TextEncoder().encode(`${JSON.stringify(notes)}\n`);
    if ((await file.write(text, 0, text.length, 0)) < text.length) throw new Error("a note was cut short");
    await file.datasync();
  } finally {
    await file.close();
  }
  await rename(fresh, path);
}

/** The names in a folder are on the disk. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await OpenFile.open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

export async function removeFiles(folder: string, id: string): Promise<void> {
  // The sound first: notes without sound are cleared away at the next start, sound without notes is a recording.
  await rm(wavPath(folder, id), { force: true });
  await rm(partPath(folder, id), { force: true });
  await rm(notesPath(folder, id), { force: true });
}

async function readNotes(folder: string, id: string): Promise<Partial<Notes>> {
  try {
    const notes = JSON.parse(await readFile(notesPath(folder, id), "utf8")) as unknown;
    return notes !== null && typeof notes === "object" ? (notes as Partial<Notes>) : {};
  } catch {
    return {};
  }
}

/** The first 48 bits of a UUIDv7 are the Unix time of its making, ms. */
const madeAtMs = (id: string): number => Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);

/** null: without a sound in it, or no file of ours. Mends a header that says something else than the file's length. */
async function mended(path: string): Promise<{ channels: 1 | 2; frames: number } | null> {
  const file = await OpenFile.open(path, "r+");
  try {
    const size = await file.sizeBytes();
    const head = new Uint8Array(WAV_HEADER_BYTES);
    await file.read(head, 0);
    const header = readWavHeader(head);
    if (!header) return null;
    const frameBytes = header.channels * WAV_SAMPLE_BYTES;
    const frames = Math.floor(Math.max(0, size - WAV_HEADER_BYTES) / frameBytes);
    const dataBytes = frames * frameBytes;
    const right = wavHeader(header.channels, TELEPHONE_RATE_HZ, dataBytes);
    if (frames === 0) return null;
    if (size !== WAV_HEADER_BYTES + dataBytes || right.some((byte, i) => byte !== head[i])) {
      await file.truncate(WAV_HEADER_BYTES + dataBytes);
      await file.write(right, 0, WAV_HEADER_BYTES, 0);
      await file.sync();
    }
    return { channels: header.channels, frames };
  } finally {
    await file.close();
  }
}

export const framesMs = (frames: number): number => Math.round((frames * 1000) / TELEPHONE_RATE_HZ);
export const fileBytes = (frames: number, channels: number): number =>
  WAV_HEADER_BYTES + frames * channels * WAV_SAMPLE_BYTES;

/**
 * One recording as the disk has it, made whole where its process was cut off. null: there is nothing to be had of it,
 * or another process is still writing it.
 */
export async function recover(
  folder: string,
  id: string,
  isAlive: (writer: string) => Promise<boolean>,
): Promise<Recording | null> {
  const notes = await readNotes(folder, id);
  const finished = await stat(wavPath(folder, id)).catch(() => null);
  if (!finished && notes.writer !== undefined && (await isAlive(notes.writer))) return null;
  const path = finished ? wavPath(folder, id) : partPath(folder, id);
  const whole = await mended(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw error;
  });
  if (!whole) {
    await removeFiles(folder, id);
    return null;
  }
  const { channels, frames } = whole;
  const recording: Recording = {
    id,
    line: typeof notes.line === "number" ? notes.line : 0,
    source: channels === 2 ? "both" : notes.source === "played" ? "played" : "caller",
    startedAtMs: typeof notes.startedAtMs === "number" ? notes.startedAtMs : madeAtMs(id),
    state: "finished",
    durationMs: framesMs(frames),
    bytes: fileBytes(frames, channels),
    lostMs: typeof notes.lostMs === "number" ? notes.lostMs : 0,
    reason: notes.reason ?? "error",
  };
  if (!finished) {
    await rename(path, wavPath(folder, id));
    await writeNotes(folder, recording, "").catch(() => undefined); // a disk that is full has its sound all the same
    await syncFolder(folder);
  }
  return recording;
}

/** The ids that a folder's names speak of. */
export function idsOf(names: readonly string[]): string[] {
  const ids = names.map((name) => name.split(".")[0] ?? "").filter((id) => RECORDING_ID.test(id));
  return [...new Set(ids)].sort();
}
