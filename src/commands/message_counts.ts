/**
 * messages.json in the state folder: how many messages wait at each line, for the dial tone and the lamp after a restart.
 * Whole at any moment. Changes that come while it is written are written together: a client that changes its mind all the
 * time costs one write after the other, and nobody's time.
 */
import { readFileSync } from "node:fs";
import { mkdir, open, rename } from "node:fs/promises";
import { join } from "node:path";
import type { Log } from "../observe/log";

const FILE = "messages.json";
const MAX_COUNT = 999;

export class MessageCounts {
  readonly #counts: Map<number, number>;
  /** Not begun yet: takes along what changes until then. */
  #waitingWrite: Promise<void> | null = null;
  #lastWrite: Promise<void> = Promise.resolve();

  /** folder null: nothing is kept. */
  constructor(
    private readonly folder: string | null,
    private readonly log: Pick<Log, "warning">,
  ) {
    this.#counts = this.#read();
  }

  get waiting(): ReadonlyMap<number, number> {
    return this.#counts;
  }

  keep(line: number, count: number): void {
    if ((this.#counts.get(line) ?? 0) === count) return;
    if (count === 0) this.#counts.delete(line);
    else this.#counts.set(line, count);
    if (this.#waitingWrite) return;
    this.#waitingWrite = this.#lastWrite.then(() => this.#write());
    this.#lastWrite = this.#waitingWrite;
  }

  /** Settles when what was kept is on the disk, or cannot be put there. */
  saved(): Promise<void> {
    return this.#lastWrite;
  }

  async #write(): Promise<void> {
    this.#waitingWrite = null;
    if (this.folder === null) return;
    try {
      await replace(this.folder, JSON.stringify({ messages: Object.fromEntries(this.#counts) }));
    } catch (error) {
      this.log.warning("waiting messages will be forgotten by a restart", { file: FILE, error: codeOf(error) });
    }
  }

  #read(): Map<number, number> {
    if (this.folder === null) return new Map();
    try {
      const { messages } = JSON.parse(readFileSync(join(this.folder, FILE), "utf8")) as { messages: unknown };
      const entries = Object.entries(messages as Record<string, unknown>);
      return new Map(entries.map(([line, count]) => [Number(line), counted(count)]));
    } catch (error) {
      if (codeOf(error) !== "ENOENT") {
        this.log.warning("waiting messages cannot be read: none is taken to wait", {
          file: FILE,
          error: codeOf(error),
        });
      }
      return new Map();
    }
  }
}

function counted(count: unknown): number {
  if (typeof count === "number" && Number.isInteger(count) && count >= 1 && count <= MAX_COUNT) return count;
  throw new TypeError("no count of messages");
}

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? "damaged";

async function replace(folder: string, text: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, FILE);
  const draft = await open(`${path}.new`, "w", 0o600);
  try {
    await draft.writeFile(text);
    await draft.sync();
  } finally {
    await draft.close();
  }
  await rename(`${path}.new`, path);
  const opened = await open(folder, "r");
  try {
    await opened.sync();
  } finally {
    await opened.close();
  }
}
