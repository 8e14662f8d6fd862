/** A program that speaks, at work: bounded in what it may take, and ended with all that it started. */
import { writeFileSync } from "node:fs";
import { constants, setPriority } from "node:os";
import { SoundError } from "./sound_error";

const VOICES_MS = 10_000;
/** Thirty times what espeak-ng tells of its hundred voices. */
const MAX_TABLE_BYTES = 256 * 1024;
/** Of 1000, to the kernel: as if it held half of all memory more. */
const FIRST_TO_GO = 500;

export type Speaking = Bun.Subprocess<Uint8Array, "pipe", "ignore">;

/** What they need to find their own files; nothing of ours. */
const environment = (): Record<string, string> => ({
  PATH: process.env.PATH ?? "",
  HOME: process.env.HOME ?? "/",
  LANG: "C.UTF-8",
});

/** No path, no command line: whoever asks need not know where it lies. */
export const speechFailed = (engine: string, why: string): SoundError =>
  new SoundError(
    "speech_failed",
    `${engine} failed (${why}): run it on the machine and see what it says; dahdi-phone-api doctor tells where it is.`,
  );

export const endOf = ({ exitCode, signalCode }: Speaking): string => `it ended with ${signalCode ?? exitCode}`;

const speaking = new Set<Speaking>();
/** They lead groups of their own, which a terminal's Ctrl-C does not reach. */
const endAll = (): void => speaking.forEach(endSpeaking);

/** The leader of a group of its own: what is called piper may well be a script that starts one. Throws SoundError. */
export function startSpeaking(engine: string, command: string[], input: string): Speaking {
  try {
    const stdin = new TextEncoder().encode(input);
    const env = environment();
    const child = Bun.spawn(command, { stdin, stdout: "pipe", stderr: "ignore", cwd: "/", env, detached: true });
    if (!process.listeners("exit").includes(endAll)) process.on("exit", endAll);
    speaking.add(child);
    void child.exited.then(() => speaking.delete(child));
    politely(child.pid);
    return child;
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code ?? "unknown error";
    throw speechFailed(engine, `it cannot be started: ${why}`);
  }
}

/** With all that it started. */
export function endSpeaking({ pid }: Speaking): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It is over already.
  }
}

/** Events and answers go first; where memory runs out, it does. */
function politely(pid: number): void {
  try {
    writeFileSync(`/proc/${pid}/oom_score_adj`, String(FIRST_TO_GO));
    setPriority(pid, constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // It is over already.
  }
}

/** header: goes before what it says; null: nothing does. */
export async function* spoken(
  child: Speaking,
  header: Uint8Array | null,
  failed: () => SoundError,
): AsyncGenerator<Uint8Array> {
  let first = true;
  for await (const piece of child.stdout) {
    if (first && header) yield header;
    first = false;
    yield piece;
  }
  if ((await child.exited) !== 0) throw failed();
}

/** What a program writes to its standard output, which must be little, and soon. */
export async function tableOf(engine: string, command: string[]): Promise<string> {
  const child = startSpeaking(engine, command, "");
  const late = Promise.withResolvers<never>();
  const tooLong = (): void =>
    late.reject(speechFailed(engine, `its voices were not told within ${VOICES_MS / 1000} s`));
  const timer = setTimeout(tooLong, VOICES_MS);
  try {
    return await Promise.race([wholeTable(engine, child), late.promise]);
  } finally {
    clearTimeout(timer);
    endSpeaking(child);
  }
}

async function wholeTable(engine: string, child: Speaking): Promise<string> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of child.stdout) {
    pieces.push(piece);
    bytes += piece.byteLength;
    if (bytes > MAX_TABLE_BYTES) throw speechFailed(engine, "its table of voices has no end");
  }
  if ((await child.exited) !== 0) throw speechFailed(engine, `asked for its voices, ${endOf(child)}`);
  return Buffer.concat(pieces).toString();
}
