/** A folder for recordings, and what stands in their files. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openAudio } from "../../src/audio/open";
import { readWavHeader, WAV_HEADER_BYTES } from "../../src/audio/wav_header";
import type { RecordingStoreOptions } from "../../src/recordings/store";
import { RecordingStore } from "../../src/recordings/store";
import { samplesOf } from "../../src/sounds/samples";

export interface RecordingFolder extends Disposable {
  folder: string;
  store: RecordingStore;
  /** What the store complained of. */
  complaints: { message: string; details: Record<string, unknown> }[];
}

export function recordingFolder(options: Partial<RecordingStoreOptions> = {}): RecordingFolder {
  const root = mkdtempSync(join(tmpdir(), "dahdi-recordings-"));
  const folder = join(root, "recordings");
  const complaints: RecordingFolder["complaints"] = [];
  const log = {
    error: (message: string, details: Record<string, unknown>) => complaints.push({ message, details }),
  };
  const store = new RecordingStore({
    folder,
    limits: () => ({ minFreeBytes: 0, maxTotalBytes: 0 }),
    log,
    ...options,
  });
  return { folder, store, complaints, [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }) };
}

/** Throws where the header does not say what the file holds. */
export function soundOf(bytes: Uint8Array): { caller: Int16Array; played: Int16Array | null } {
  const header = readWavHeader(bytes);
  if (!header) throw new Error("no WAV of ours");
  if (header.dataBytes !== bytes.byteLength - WAV_HEADER_BYTES) {
    throw new Error(`the header says ${header.dataBytes}, the file has ${bytes.byteLength - WAV_HEADER_BYTES}`);
  }
  const all = new Int16Array(bytes.slice(WAV_HEADER_BYTES).buffer);
  if (header.channels === 1) return { caller: all, played: null };
  return { caller: all.filter((_, i) => i % 2 === 0), played: all.filter((_, i) => i % 2 === 1) };
}

/** Of a file in any format, mono, 8 kHz. */
export async function samplesIn(file: Uint8Array): Promise<Int16Array> {
  const samples: number[] = [];
  const { signal } = new AbortController();
  const pieces = samplesOf(await openAudio(file), signal, new Int16Array(8000));
  for await (const piece of pieces) samples.push(...piece);
  return Int16Array.from(samples);
}
