/**
 * What is to be logged while its disk is slow, full, gone or stands still: kept in memory up to a bound, written once it
 * can be, and counted where it is lost. Nobody waits for it.
 */

export interface LogQueueNeeds {
  /** Writes the first of the lines and says how many, or throws. */
  append(lines: readonly string[]): Promise<number>;
  /** When the process ends, at once. */
  appendNow(lines: readonly string[]): void;
  monotonicMs(): number;
  /** Once for each time of trouble. */
  troubled(why: string): void;
  recovered(lost: { lines: number; audit: number }): void;
}

/** Who did what has as much again to itself, so that nobody's chatter takes its place. */
export const MAX_KEPT_CHARACTERS = 1024 * 1024;
const MAX_KEPT_WITH_AUDIT_CHARACTERS = 2 * MAX_KEPT_CHARACTERS;
const AGAIN_MS = 1000;
/** A disk that has not answered for so long will not when the process ends either. */
const STUCK_MS = 500;

export class LogQueue {
  #kept: string[] = [];
  #keptCharacters = 0;
  #writing: Promise<void> | null = null;
  #askedAtMs = 0;
  #again: ReturnType<typeof setTimeout> | null = null;
  #trouble: string | null = null;
  #lost = { lines: 0, audit: 0 };
  #lostBefore = 0;

  constructor(private readonly needs: LogQueueNeeds) {}

  /** Since the start. */
  get lostLines(): number {
    return this.#lostBefore + this.#lost.lines;
  }

  write(line: string, audit: boolean): void {
    const bound = audit ? MAX_KEPT_WITH_AUDIT_CHARACTERS : MAX_KEPT_CHARACTERS;
    if (this.#keptCharacters + line.length > bound) {
      this.#lost.lines++;
      if (audit) this.#lost.audit++;
      this.#tell("the disk does not take it as fast as it comes");
      return;
    }
    this.#kept.push(line);
    this.#keptCharacters += line.length;
    if (!this.#again) this.#writing ??= this.#write();
  }

  /** Something may be better now. */
  tryAgain(): void {
    if (this.#again) clearTimeout(this.#again);
    this.#again = null;
    if (this.#kept.length > 0) this.#writing ??= this.#write();
  }

  /** All that came before is written, or cannot be. */
  async flushed(): Promise<void> {
    await this.#writing;
  }

  /** The process ends. */
  lastBreath(): void {
    const stuck = this.#writing !== null && this.needs.monotonicMs() - this.#askedAtMs > STUCK_MS;
    if (this.#kept.length > 0 && !stuck) this.needs.appendNow(this.#kept);
  }

  async #write(): Promise<void> {
    try {
      while (this.#kept.length > 0) {
        this.#askedAtMs = this.needs.monotonicMs();
        const count = await this.needs.append(this.#kept);
        for (const line of this.#kept.splice(0, count)) this.#keptCharacters -= line.length;
      }
      this.#writing = null;
      this.#recover();
    } catch (error) {
      this.#writing = null;
      this.#tell((error as NodeJS.ErrnoException).code ?? (error as Error).message);
      this.#again = setTimeout(() => this.tryAgain(), AGAIN_MS);
      this.#again.unref();
    }
  }

  #tell(why: string): void {
    if (this.#trouble !== null) return;
    this.#trouble = why;
    this.needs.troubled(why);
  }

  #recover(): void {
    if (this.#trouble === null) return;
    this.#trouble = null;
    const lost = this.#lost;
    this.#lostBefore += lost.lines;
    this.#lost = { lines: 0, audit: 0 };
    this.needs.recovered(lost);
  }
}
