/** Which process writes a file: told apart from another that got its number later, by when it began. */
import { readFile } from "node:fs/promises";

const START_TIME_FIELD = 22; /* proc(5): starttime, of /proc/PID/stat */

async function named(pid: number | "self"): Promise<string> {
  const [stat, boot] = await Promise.all([
    readFile(`/proc/${pid}/stat`, "utf8"),
    readFile("/proc/sys/kernel/random/boot_id", "utf8"),
  ]);
  // The second field is the program's name in brackets, and may hold anything.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return `${stat.split(" ")[0]} ${fields[START_TIME_FIELD - 3]} ${boot.trim()}`;
}

export const thisProcess = (): Promise<string> => named("self").catch(() => "");

/** Is it another process, and still there? */
export async function isOtherAndAlive(writer: string): Promise<boolean> {
  const pid = Number.parseInt(writer, 10);
  if (!Number.isInteger(pid) || pid === process.pid) return false;
  return (await named(pid).catch(() => "")) === writer;
}
