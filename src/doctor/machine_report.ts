/** What a bug report says of the machine: the doctor's findings, and the kernel's own words of DAHDI. */
import { arch, cpus, totalmem } from "node:os";
import type { Finding } from "./findings";
import { jsonReport } from "./report";
import type { System } from "./system";

export interface MachineReport {
  about: Record<string, string | number | null>;
  /** The doctor's report as JSON. */
  doctor: string;
  /** Texts by their absolute path. */
  files: Record<string, string>;
}

const FILES = [
  "/proc/version",
  "/proc/interrupts",
  "/proc/meminfo",
  "/sys/module/dahdi/version",
  "/etc/dahdi/system.conf",
];
const FOLDERS = ["/proc/dahdi"];

export async function machineReport(
  system: System,
  version: string,
  examine: () => Promise<readonly Finding[]>,
): Promise<MachineReport> {
  const paths = [
    ...FILES,
    ...FOLDERS.flatMap((folder) => (system.list(folder) ?? []).map((name) => `${folder}/${name}`)),
  ];
  const texts = paths.map((path) => [path, system.readText(path)] as const);
  const release = system.readText("/etc/os-release") ?? "";
  return {
    about: {
      architecture: arch(),
      processors: cpus().length,
      processor: cpus()[0]?.model ?? null,
      memory_bytes: totalmem(),
      kernel: system.kernel,
      os: /^PRETTY_NAME="?([^"\n]*)/m.exec(release)?.[1] ?? null,
      board: system.readText("/proc/device-tree/model")?.replaceAll("\0", "") ?? null,
      user: system.user.name,
    },
    doctor: jsonReport(version, [...(await examine())]),
    files: Object.fromEntries(texts.filter((entry): entry is readonly [string, string] => entry[1] !== null)),
  };
}
