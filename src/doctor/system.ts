/** The machine as the checks see it, so that a test can be any machine. */
import type { ChannelProbe } from "../driver/probe";

export interface FileFacts {
  uid: number;
  gid: number;
  /** Permission bits, as 0o660. */
  mode: number;
}

export interface System {
  /** Null: not there, or may not be read. */
  readText(path: string): string | null;
  /** Names in a folder, sorted; null: not there, or may not be read. */
  list(folder: string): string[] | null;
  /** What a symbolic link says. */
  link(path: string): string | null;
  stat(path: string): FileFacts | null;
  /** `uname -r`. */
  kernel: string;
  pid: number;
  user: { uid: number; name: string; groups: readonly number[] };
  /** The path of a program, by its name or its path; null: there is none that can be run. */
  which(program: string): string | null;
  /** Tries to listen there and stops at once: null, or the name of the errno. */
  tryListen(host: string, port: number): Promise<string | null>;
  /** Asks the driver without opening the channel. */
  probe(device: string, channel: number): ChannelProbe;
}

/** /etc/group's name of a group, or its number. */
export function groupName(system: System, gid: number): string {
  const rows = system.readText("/etc/group")?.split("\n") ?? [];
  return rows.find((row) => row.split(":")[2] === String(gid))?.split(":")[0] ?? String(gid);
}

/** Is the kernel module in? Modules are named with _ there, whatever their file is called. */
export const moduleLoaded = (system: System, name: string): boolean =>
  system.list(`/sys/module/${name.replaceAll("-", "_")}`) !== null;
