/** Who has a file open, as far as /proc lets this user see. */
import type { System } from "./system";

export interface Holder {
  pid: number;
  /** The kernel's name of the program, at most 15 characters. */
  name: string;
}

/** All that the kernel keeps of "dahdi-phone-api" is all of it. */
export const OUR_NAME = "dahdi-phone-api";

export interface Holders {
  holders: Holder[];
  /** False: others' processes may not be looked into, so there may be more. */
  sawAll: boolean;
}

const pids = (system: System): string[] => (system.list("/proc") ?? []).filter((name) => /^\d+$/.test(name));
const nameOf = (system: System, pid: string): string => system.readText(`/proc/${pid}/comm`)?.trim() ?? "?";

/** Processes with a descriptor whose link the question accepts; our own process left out. */
export function holdersOf(system: System, accept: (link: string) => boolean): Holders {
  const found: Holders = { holders: [], sawAll: true };
  for (const pid of pids(system)) {
    if (Number(pid) === system.pid) continue;
    const fds = system.list(`/proc/${pid}/fd`);
    if (fds === null) {
      // One that has ended meanwhile hides nothing.
      if (system.readText(`/proc/${pid}/comm`) !== null) found.sawAll = false;
      continue;
    }
    const holds = fds.some((fd) => accept(system.link(`/proc/${pid}/fd/${fd}`) ?? ""));
    if (holds) found.holders.push({ pid: Number(pid), name: nameOf(system, pid) });
  }
  return found;
}

/** Running services of ours, whoever may look into them. */
export function ourServices(system: System): Holder[] {
  return pids(system)
    .filter((pid) => Number(pid) !== system.pid && nameOf(system, pid) === OUR_NAME)
    .map((pid) => ({ pid: Number(pid), name: OUR_NAME }));
}

export const holderNames = (holders: readonly Holder[]): string =>
  holders.map(({ name, pid }) => `${name} (pid ${pid})`).join(", ");

/** Names of systemd services whose program has another name are not guessed. */
const SERVICES = new Set(["asterisk", "freeswitch", "callweaver", "yate"]);
export function stopCommand(holders: readonly Holder[]): string {
  return [
    ...new Set(
      holders.map(({ name, pid }) => (SERVICES.has(name) ? `sudo systemctl stop ${name}` : `sudo kill ${pid}`)),
    ),
  ].join(" && ");
}
