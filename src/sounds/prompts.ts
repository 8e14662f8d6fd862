/**
 * Sounds that are kept under a name: as the telephone hears them, so that playing one costs nothing, its length is known,
 * and whatever was sent was decoded to its end once, before anybody hears it.
 */
import { mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { AudioError } from "../audio/error";
import { type PcmSource, TELEPHONE_RATE_HZ } from "../audio/source";
import { WAV_HEADER_BYTES, WAV_SAMPLE_BYTES, wavHeader } from "../audio/wav_header";
import { freeBytes } from "../recordings/free_bytes";
import { OpenFile } from "../recordings/open_file";
import { syncFolder } from "../recordings/stored_recording";
import { type OpenOptions, opened } from "./opened";
import { samplesOf } from "./samples";
import { SoundError } from "./sound_error";

export interface Prompt {
  name: string;
  durationMs: number;
  /** Of the WAV file. */
  bytes: number;
  /** Unix ms. */
  changedAtMs: number;
}

export interface PromptsOptions {
  /** null: no place is known for what must outlive the process. */
  folder: string | null;
  maxDurationMs: number;
  minFreeBytes: number;
  /** Of all prompts together; 0: no bound. */
  maxTotalBytes: number;
  log: { error(message: string, details: Record<string, string | null>): void };
}

export const PROMPT_NAME = /^[a-z0-9_-]{1,64}$/;

const FILE = ".wav";
const PART = ".part";
const PIECE_SAMPLES = TELEPHONE_RATE_HZ;
const SAMPLES_PER_MS = TELEPHONE_RATE_HZ / 1000;
const AHEAD_BYTES = 64 * 1024;
/** A disk that stands still for so long is given up. */
const STALL_MS = 10_000;

export class Prompts {
  readonly #ready: Promise<string | null>;
  #nextPart = 1;
  /** Of what is being written just now. */
  #growingBytes = 0;

  constructor(private readonly options: PromptsOptions) {
    this.#ready = this.#prepare();
  }

  async #prepare(): Promise<string | null> {
    const { folder, log } = this.options;
    if (folder === null) return null;
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const parts = (await readdir(folder)).filter((file) => file.endsWith(PART));
      // What was cut off was never a prompt.
      for (const file of parts) await rm(join(folder, file), { force: true });
      return folder;
    } catch (error) {
      log.error("prompts cannot be kept", { folder, error: reasonOf(error), fix: "set state_dir" });
      return null;
    }
  }

  async #folder(): Promise<string> {
    const folder = await this.#ready;
    if (folder !== null) return folder;
    const message = "There is no folder for prompts that can be written: set state_dir, and see the log.";
    throw new SoundError("prompts_unavailable", message);
  }

  /** By name. */
  async list(): Promise<Prompt[]> {
    const folder = await this.#folder();
    const files = (await readdir(folder)).filter((file) => file.endsWith(FILE)).sort();
    const prompts = await Promise.all(files.map((file) => described(folder, file.slice(0, -FILE.length))));
    return prompts.filter((prompt) => prompt !== null);
  }

  async get(name: string): Promise<Prompt> {
    const prompt = await described(await this.#folder(), name);
    if (prompt) return prompt;
    throw unknown();
  }

  /** Where its sound is. */
  async soundPath(name: string): Promise<string> {
    await this.get(name);
    return join(await this.#folder(), name + FILE);
  }

  async delete(name: string): Promise<void> {
    await rm(await this.soundPath(name), { force: true });
  }

  async open(name: string, open: OpenOptions): Promise<PcmSource> {
    const { bytes } = await this.get(name);
    const file = Bun.file(await this.soundPath(name));
    const changed = (): SoundError =>
      new SoundError("unknown_prompt", "This prompt was changed meanwhile: play it again.");
    return await opened(piecesOf(file), bytes, open, {
      aheadBytes: AHEAD_BYTES,
      stallMs: STALL_MS,
      maxBytes: bytes,
      stalled: changed,
      tooLarge: changed,
      stop: () => undefined,
    });
  }

  /** Decodes a source to its end; only then it is the prompt of that name. The source is closed in any case. */
  async save(name: string, source: PcmSource, signal: AbortSignal): Promise<Prompt> {
    try {
      if (!PROMPT_NAME.test(name)) {
        throw new SoundError("bad_name", "A prompt's name is 1 to 64 of a-z 0-9 _ -.");
      }
      const folder = await this.#folder();
      const keptBytes = (await this.list()).reduce((sum, { bytes }) => sum + bytes, 0);
      await this.#roomFor(folder, keptBytes);
      const part = join(folder, `${name}.${process.pid}.${this.#nextPart++}${PART}`);
      try {
        await this.#write(part, source, signal, () => this.#roomFor(folder, keptBytes));
        await rename(part, join(folder, name + FILE));
      } catch (error) {
        await rm(part, { force: true }).catch(() => undefined);
        throw isFull(error) ? full("prompts.min_free_mb") : error;
      }
      await syncFolder(folder);
      return await this.get(name);
    } finally {
      source.close?.();
    }
  }

  async #write(path: string, source: PcmSource, signal: AbortSignal, roomFor: () => Promise<void>): Promise<void> {
    const file = await OpenFile.open(path, "wx");
    const piece = new Int16Array(PIECE_SAMPLES);
    const bytes = new Uint8Array(piece.buffer);
    let samples = 0;
    try {
      for await (const { length: count } of samplesOf(source, signal, piece)) {
        samples += count;
        if (samples > this.options.maxDurationMs * SAMPLES_PER_MS) throw tooLong(this.options.maxDurationMs);
        const place = WAV_HEADER_BYTES + (samples - count) * WAV_SAMPLE_BYTES;
        this.#growingBytes += count * WAV_SAMPLE_BYTES;
        await writeAll(file, bytes.subarray(0, count * WAV_SAMPLE_BYTES), place);
        await roomFor();
      }
      if (samples === 0) throw new AudioError("empty", "There is no sound in it: nothing was kept.");
      await writeAll(file, wavHeader(1, TELEPHONE_RATE_HZ, samples * WAV_SAMPLE_BYTES), 0);
      await file.sync();
    } finally {
      this.#growingBytes -= samples * WAV_SAMPLE_BYTES;
      await file.close();
    }
  }

  async #roomFor(folder: string, keptBytes: number): Promise<void> {
    const { maxTotalBytes, minFreeBytes } = this.options;
    if (minFreeBytes > 0 && (await freeBytes(folder)) <= minFreeBytes) throw full("prompts.min_free_mb");
    if (maxTotalBytes > 0 && keptBytes + this.#growingBytes >= maxTotalBytes) throw full("prompts.max_total_mb");
  }
}

const unknown = (): SoundError =>
  new SoundError("unknown_prompt", "There is no such prompt: GET /prompts lists them.");

/** It may be deleted at any moment: one that is open is there to its end. */
async function* piecesOf(file: Bun.BunFile): AsyncGenerator<Uint8Array> {
  try {
    yield* file.stream();
  } catch (error) {
    if (reasonOf(error) === "ENOENT") throw unknown();
    throw new SoundError("prompts_unavailable", `This prompt cannot be read (${reasonOf(error)}).`);
  }
}

/** null: there is none. */
async function described(folder: string, name: string): Promise<Prompt | null> {
  if (!PROMPT_NAME.test(name)) return null;
  const found = await stat(join(folder, name + FILE)).catch(() => null);
  if (!found?.isFile()) return null;
  const samples = Math.max(0, found.size - WAV_HEADER_BYTES) / WAV_SAMPLE_BYTES;
  return { name, bytes: found.size, durationMs: Math.round(samples / SAMPLES_PER_MS), changedAtMs: found.mtimeMs };
}

const reasonOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? String(error);
const isFull = (error: unknown): boolean => ["ENOSPC", "EDQUOT"].includes(reasonOf(error));
const full = (key: string): SoundError =>
  new SoundError("disk_full", `The prompts are as many as may be (${key}): delete some, or make room.`);
const tooLong = (maxMs: number): AudioError =>
  new AudioError("too_long", `It lasts longer than ${maxMs / 1000} s (prompts.max_duration_seconds): send less.`);

async function writeAll(file: OpenFile, bytes: Uint8Array, place: number): Promise<void> {
  for (let at = 0; at < bytes.byteLength; ) at += await file.write(bytes, at, bytes.byteLength - at, place + at);
}
