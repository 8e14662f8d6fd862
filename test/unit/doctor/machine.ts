/** Machines for the doctor's tests: a healthy one, and what a test changes of it. */
import { defaultConfig } from "../../../src/config/load";
import type { ReadConfig } from "../../../src/doctor/configuration";
import { examine } from "../../../src/doctor/doctor";
import type { Finding, FindingId } from "../../../src/doctor/findings";
import type { FileFacts, System } from "../../../src/doctor/system";
import type { ChannelProbe } from "../../../src/driver/probe";

export interface Machine {
  /** Path → text. Folders follow from the paths. Null takes one away, and all below it. */
  files: Record<string, string | null>;
  links: Record<string, string>;
  /** Paths of folders that this user may not list. */
  closed: string[];
  facts: Record<string, FileFacts | null>;
  user: System["user"];
  kernel: string;
  /** Ports in use, or refused: the errno's name. */
  ports: Record<number, string>;
  /** Programs and their paths. */
  programs: Record<string, string | null>;
  probe: Partial<ChannelProbe>;
}

const FXS_CHANNEL = "FXOKS  (EC: MG2 - INACTIVE) ";
export const span = (...channels: string[]): string =>
  [
    'Span 1: WCTDM/0 "Wildcard TDM410P" (MASTER) ',
    "",
    ...channels.map((rest, i) => `\t   ${i + 1} WCTDM/0/${i} ${rest}`),
    "",
  ].join("\n");

const KERNEL = "6.1.0-50-arm64";
const NODE: FileFacts = { uid: 0, gid: 20, mode: 0o660 };
const CARD = "/sys/bus/pci/devices/0000:01:00.0";

/** A Raspberry Pi with a TDM410P, four FXS ports, everything set up; the user asks himself. */
export const HEALTHY: Machine = {
  files: {
    "/etc/passwd": "root:x:0:0::/root:/bin/sh\npi:x:1000:1000::/home/pi:/bin/bash\n",
    "/etc/group": "root:x:0:\ndialout:x:20:pi\nasterisk:x:120:\n",
    "/etc/dahdi/system.conf": "# ports\nfxoks=1-4\nechocanceller=mg2,1-4\nloadzone=us\ndefaultzone=us\n",
    "/proc/1/comm": "systemd\n",
    "/proc/1/fd/0": "",
    "/proc/net/tcp": "  sl  local_address rem_address   st\n",
    "/proc/self/limits":
      "Limit                     Soft Limit           Hard Limit\nMax realtime priority     10                   10  \n",
    "/proc/self/status": "Name:\tx\nCapEff:\t0000000000000000\n",
    "/proc/self/smaps": "7f0-7f1 r-xp 00000000 00:00 0\nSize:  4 kB\nKernelPageSize:       16 kB\n",
    "/proc/dahdi/1": span(FXS_CHANNEL, FXS_CHANNEL, FXS_CHANNEL, FXS_CHANNEL),
    "/sys/module/dahdi/version": "2.11.1.0\n",
    "/sys/module/wctdm24xxp/refcnt": "4\n",
    "/sys/class/dahdi/dahdi!ctl/dev": "196:0\n",
    "/sys/class/dahdi/dahdi!channel/dev": "196:254\n",
    [`${CARD}/vendor`]: "0xd161\n",
    [`${CARD}/device`]: "0x8005\n",
    [`${CARD}/subsystem_vendor`]: "0x0000\n",
    [`/lib/modules/${KERNEL}/modules.dep`]: "kernel/x.ko:\nupdates/dkms/dahdi.ko.xz: kernel/lib/crc-ccitt.ko\n",
  },
  links: { [`${CARD}/driver`]: "../../../bus/pci/drivers/wctdm24xxp" },
  closed: [],
  facts: { "/dev/dahdi/channel": NODE, "/dev/dahdi/ctl": NODE },
  user: { uid: 1000, name: "pi", groups: [1000, 20] },
  kernel: KERNEL,
  ports: {},
  programs: { "espeak-ng": "/usr/bin/espeak-ng" },
  probe: {},
};

const PROBE: ChannelProbe = {
  deviceError: 0,
  controlError: 0,
  channelError: 0,
  zoneError: 0,
  signalling: "fxoks",
  feedsTelephones: true,
  lifted: false,
  alarms: [],
  law: "mu-law",
  zone: 0,
};

export type Change = { [key in keyof Machine]?: Partial<Machine[key]> | Machine[key] };

export function machine(change: Change = {}): System {
  const whole = (key: "files" | "links" | "facts" | "ports" | "programs" | "probe") =>
    ({ ...HEALTHY[key], ...(change[key] as object) }) as never;
  const files: Machine["files"] = whole("files");
  const links: Machine["links"] = whole("links");
  const facts: Machine["facts"] = whole("facts");
  const ports: Machine["ports"] = whole("ports");
  const programs: Machine["programs"] = whole("programs");
  const gone = Object.keys(files).filter((path) => files[path] === null);
  const there = [...Object.keys(files), ...Object.keys(links)].filter(
    (path) => !gone.some((one) => path === one || path.startsWith(`${one}/`)),
  );
  const closed = (change.closed as string[] | undefined) ?? HEALTHY.closed;
  return {
    readText: (path) => (there.includes(path) ? (files[path] ?? null) : null),
    list: (folder) => {
      if (closed.includes(folder)) return null;
      const below = there.filter((path) => path.startsWith(`${folder}/`));
      const names = below.map((path) => path.slice(folder.length + 1).split("/")[0] ?? "");
      return below.length > 0 ? [...new Set(names)].sort() : null;
    },
    link: (path) => links[path] ?? null,
    stat: (path) => facts[path] ?? null,
    kernel: (change.kernel as string | undefined) ?? HEALTHY.kernel,
    pid: 4242,
    user: (change.user as System["user"] | undefined) ?? HEALTHY.user,
    which: (program) => programs[program] ?? null,
    tryListen: async (_, port) => ports[port] ?? null,
    probe: () => ({ ...PROBE, ...(change.probe as object) }),
  };
}

export const READ: ReadConfig = {
  config: {
    ...defaultConfig(),
    dahdi: { ...defaultConfig().dahdi, channels: [1, 2] },
  },
  path: "/etc/dahdi_phone/config.yml",
  problem: null,
};

export const findingsOf = (change: Change = {}, read: ReadConfig = READ): Promise<Finding[]> =>
  examine({ system: machine(change), read, simulated: false, selfTest: null });

/** What is neither right nor left out, as "holder 1: error". */
export const faults = (findings: readonly Finding[]): string[] =>
  findings
    .filter(({ status }) => status === "error" || status === "warning")
    .map(({ id, channel, status }) => `${id}${channel === null ? "" : ` ${channel}`}: ${status}`);

export function findingOf(findings: readonly Finding[], id: FindingId, channel: number | null = null): Finding {
  const found = findings.find((one) => one.id === id && (channel === null || one.channel === channel));
  if (!found) throw new Error(`no finding ${id}`);
  return found;
}
