/**
 * Recordings that are written by themselves when a line is lost: the newest ten, at most one a minute, each whole or
 * not there at all. They may hold what was dialled and said, so only their owner reads them.
 */
import { mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { FlightRecorder } from "./flight_recorder";

const KEPT = 10;
const AT_MOST_EVERY_NS = 60e9;
/** What the loss gives rise to belongs to it. */
const AFTERMATH_MS = 2000;
const NAME = /^flight-[0-9TZ-]+\.jsonl\.gz$/;
const UNFINISHED = /\.part$/;
const OWNER_ONLY = { file: 0o600, folder: 0o700 };

export interface FlightFilesOptions {
  /** null: there is no place for any. */
  folder: string | null;
  recorder: Pick<FlightRecorder, "dump">;
  nowMs: () => number;
  /** Of the engine: nobody sets it. */
  nowNs: () => number;
  after: (ms: number, call: () => void) => void;
  log: {
    info(message: string, fields: Record<string, string>): void;
    error(message: string, fields: Record<string, string>): void;
  };
}

export class FlightFiles {
  #notBeforeNs = 0;
  readonly #inService = new Set<number>();
  #writing: Promise<void> = Promise.resolve();

  constructor(private readonly options: FlightFilesOptions) {}

  lineReady(line: number): void {
    this.#inService.add(line);
  }

  /** A line is out of service. One that never was in service, as without a card, has nothing to tell. */
  lineLost(line: number): void {
    if (!this.#inService.delete(line)) return;
    const { folder, nowNs, after } = this.options;
    if (folder === null || nowNs() < this.#notBeforeNs) return;
    this.#notBeforeNs = nowNs() + AT_MOST_EVERY_NS;
    after(AFTERMATH_MS, () => {
      this.#writing = this.#write(folder, `line ${line} was lost`);
    });
  }

  /** Settles when what is being written is on the disk. */
  settled(): Promise<void> {
    return this.#writing;
  }

  async #write(folder: string, reason: string): Promise<void> {
    const { recorder, nowMs, log } = this.options;
    const name = `flight-${new Date(nowMs()).toISOString().replaceAll(/[:.]/g, "-")}.jsonl.gz`;
    const path = join(folder, name);
    try {
      await mkdir(folder, { recursive: true, mode: OWNER_ONLY.folder });
      await writeWhole(path, recorder.dump({ reason, sound: true, masked: false }));
      await tidy(folder, name);
      log.info("a flight recording was kept", { file: name, reason });
    } catch (error) {
      await rm(`${path}.part`, { force: true }).catch(() => undefined);
      const { code = "unknown error" } = error as NodeJS.ErrnoException;
      log.error("a flight recording could not be kept", { error: code, reason });
    }
  }
}

async function writeWhole(path: string, pieces: Iterable<string>): Promise<void> {
  // Not for every start: most servers never lose a line.
  const { Readable } = await import("node:stream");
  const { pipeline } = await import("node:stream/promises");
  const { createGzip } = await import("node:zlib");
  const handle = await open(`${path}.part`, "wx", OWNER_ONLY.file);
  try {
    await pipeline(Readable.from(pieces), createGzip(), async (packed) => {
      for await (const chunk of packed) await handle.write(chunk as Uint8Array);
    });
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(`${path}.part`, path);
}

/** Names sort as their times do; the newest is kept even where its clock was not set yet. */
async function tidy(folder: string, newest: string): Promise<void> {
  const names = await readdir(folder);
  const old = names
    .filter((name) => NAME.test(name) && name !== newest)
    .sort()
    .slice(0, 1 - KEPT);
  const gone = [...old, ...names.filter((name) => UNFINISHED.test(name))];
  await Promise.all(gone.map((name) => rm(join(folder, name), { force: true })));
}
