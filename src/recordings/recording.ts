/** What is known of a recording. */
import type { RecordingSource } from "../audio/recording_take";
import type { RecordingEndReason } from "../line/state";

export type RecordingState = "waiting" | "recording" | "paused" | "finished";

export interface Recording {
  /** A UUIDv7. */
  id: string;
  line: number;
  source: RecordingSource;
  /** Unix ms: asked for, until it begins; then its beginning. */
  startedAtMs: number;
  state: RecordingState;
  durationMs: number;
  /** Of the file. */
  bytes: number;
  /** Sound that is missing because the program stood still for too long: silence stands in its place. */
  lostMs: number;
  /** null until it is finished. */
  reason: RecordingEndReason | null;
}

export const RECORDING_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** Why the store cannot do it. */
export class RecordingStoreError extends Error {
  constructor(
    readonly code:
      | "disk_full"
      | "recordings_unavailable"
      | "unknown_recording"
      | "recording_active"
      | "encoder_busy",
    /** One sentence that says what to do. */
    message: string,
  ) {
    super(message);
    this.name = "RecordingStoreError";
  }
}

/** A file that grows. No call waits for the disk; what fails is told once, and then nothing more is written. */
export interface RecordingWriter {
  append(samples: Int16Array): void;
  /** All that was appended is on the disk soon, although nothing more comes for now. */
  settle(): void;
  /** Cut to so many frames, whole and closed. */
  finish(end: { frames: number; reason: RecordingEndReason; lostMs: number }): Promise<Recording>;
}

/** Asked for, and not begun. */
export function waitingRecording(id: string, line: number, source: RecordingSource, atMs: number): Recording {
  const nothing = { durationMs: 0, bytes: 0, lostMs: 0, reason: null } as const;
  return { id, line, source, startedAtMs: atMs, state: "waiting", ...nothing };
}
