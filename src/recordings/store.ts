/** All recordings: those on the disk, found again at the start, and those under way. */
import { mkdir, readdir, rename } from "node:fs/promises";
import { WAV_SAMPLE_BYTES } from "../audio/wav_header";
import { freeBytes } from "./free_bytes";
import { type Recording, RecordingStoreError, type RecordingWriter } from "./recording";
import { RecordingFile } from "./recording_file";
import {
  fileBytes,
  framesMs,
  idsOf,
  partPath,
  recover,
  removeFiles,
  syncFolder,
  wavPath,
  writeNotes,
} from "./stored_recording";
import { isOtherAndAlive, thisProcess } from "./writer";

export interface RecordingLimits {
  minFreeBytes: number;
  /** Of all recordings together; 0: no bound. */
  maxTotalBytes: number;
}

export interface RecordingStoreOptions {
  /** null: no place is known for what must outlive the process. */
  folder: string | null;
  limits: () => RecordingLimits;
  log: { error(message: string, details: Record<string, string | null>): void };
}

const reasonOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? String(error);

export class RecordingStore {
  readonly #recordings = new Map<string, Recording>();
  /** Settles when all that is on the disk is known. */
  readonly #loaded: Promise<void>;
  #usable = false;
  #writer = "";

  constructor(private readonly options: RecordingStoreOptions) {
    this.#loaded = this.#load();
  }

  get #folder(): string {
    const { folder } = this.options;
    if (folder === null || !this.#usable) {
      const message = "There is no folder for recordings that can be written: set state_dir, and see the log.";
      throw new RecordingStoreError("recordings_unavailable", message);
    }
    return folder;
  }

  async #load(): Promise<void> {
    const { folder, log } = this.options;
    if (folder === null) return;
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      this.#writer = await thisProcess();
      for (const id of idsOf(await readdir(folder))) {
        const recording = await recover(folder, id, isOtherAndAlive).catch((error: unknown) => {
          log.error("a recording cannot be read", { id, error: reasonOf(error) });
          return null;
        });
        if (recording) this.#recordings.set(id, recording);
      }
      this.#usable = true;
    } catch (error) {
      log.error("recordings cannot be kept", { folder, error: reasonOf(error), fix: "set state_dir" });
    }
  }

  /** Is there room for one more? Throws RecordingStoreError. */
  async admit(): Promise<void> {
    await this.#loaded;
    const folder = this.#folder;
    const { maxTotalBytes, minFreeBytes } = this.options.limits();
    if (maxTotalBytes > 0 && this.#totalBytes() >= maxTotalBytes) {
      const message = "The recordings are as large as they may be (recording.max_total_mb): delete some.";
      throw new RecordingStoreError("disk_full", message);
    }
    if ((await freeBytes(folder)) <= minFreeBytes) {
      const message = "The disk is as full as it may be (recording.min_free_mb): delete recordings, or make room.";
      throw new RecordingStoreError("disk_full", message);
    }
  }

  #totalBytes(): number {
    let total = 0;
    for (const { bytes } of this.#recordings.values()) total += bytes;
    return total;
  }

  /** It is known from now on, whether it has begun or not. */
  announce(recording: Recording): void {
    this.#recordings.set(recording.id, recording);
  }

  /** It never began. */
  withdraw(id: string): void {
    this.#recordings.delete(id);
  }

  /** After admit. `recording` is the one that was announced, and is kept up to date here. */
  begin(recording: Recording, failed: (reason: "disk_full" | "error") => void): RecordingWriter {
    const folder = this.#folder;
    const channels = recording.source === "both" ? 2 : 1;
    recording.bytes = fileBytes(0, channels);
    const notes = writeNotes(folder, recording, this.#writer).catch(() => undefined);
    const file = new RecordingFile({
      path: partPath(folder, recording.id),
      channels,
      roomLeft: () => this.#roomLeft(folder),
      failed: (reason) => {
        this.options.log.error("a recording cannot go on", { id: recording.id, reason });
        failed(reason);
      },
    });
    return {
      append: (samples) => {
        recording.bytes += samples.length * WAV_SAMPLE_BYTES;
        recording.durationMs = framesMs(
          (recording.bytes - fileBytes(0, channels)) / (channels * WAV_SAMPLE_BYTES),
        );
        file.append(samples);
      },
      settle: () => file.settle(),
      finish: async ({ frames, reason, lostMs }) => {
        await notes;
        let kept = 0;
        let end = reason;
        const trouble = (error: unknown): void => {
          this.options.log.error("a recording was not finished", { id: recording.id, error: reasonOf(error) });
          end = "error";
        };
        kept = await file.close(frames).catch((error: unknown) => {
          trouble(error);
          return 0;
        });
        await rename(partPath(folder, recording.id), wavPath(folder, recording.id)).catch(trouble);
        recording.durationMs = framesMs(kept);
        recording.lostMs = lostMs;
        recording.reason = end;
        if (kept === 0) {
          // Not a sample: hung up during the beep, and known only after it. There is nothing to keep.
          recording.bytes = 0;
          this.#recordings.delete(recording.id);
          await removeFiles(folder, recording.id).catch(trouble);
          recording.state = "finished";
          return recording;
        }
        recording.bytes = fileBytes(kept, channels);
        await writeNotes(folder, recording, this.#writer).catch(() => undefined);
        await syncFolder(folder).catch(() => undefined);
        recording.state = "finished";
        return recording;
      },
    };
  }

  async #roomLeft(folder: string): Promise<boolean> {
    const { maxTotalBytes, minFreeBytes } = this.options.limits();
    if (maxTotalBytes > 0 && this.#totalBytes() >= maxTotalBytes) return false;
    return minFreeBytes === 0 || (await freeBytes(folder)) >= minFreeBytes;
  }

  /** The oldest first: ids grow with time. */
  async list(line: number | null): Promise<Recording[]> {
    await this.#loaded;
    const all = [...this.#recordings.values()].filter((each) => line === null || each.line === line);
    return all.sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  async get(id: string): Promise<Recording> {
    await this.#loaded;
    const recording = this.#recordings.get(id);
    if (recording) return recording;
    throw new RecordingStoreError("unknown_recording", "There is no such recording: GET /recordings lists them.");
  }

  /** Where the sound of a finished one is. */
  async soundPath(id: string): Promise<string> {
    const recording = await this.get(id);
    finishedOnly(recording);
    return wavPath(this.#folder, id);
  }

  async delete(id: string): Promise<void> {
    const recording = await this.get(id);
    finishedOnly(recording);
    this.#recordings.delete(id);
    await removeFiles(this.#folder, id);
  }
}

function finishedOnly({ state }: Recording): void {
  if (state === "finished") return;
  const message = "It is still being recorded: POST /record/stop ends it.";
  throw new RecordingStoreError("recording_active", message);
}
