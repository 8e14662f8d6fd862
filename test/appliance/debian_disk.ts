/**
 * The disk with Debian, built once by mmdebstrap from the machine's own mirror. Of this machine's architecture it is
 * whole in a minute and a half. Of another one mmdebstrap only unpacks it, and the emulated machine does the rest, as
 * with debootstrap's second stage: nothing of this machine has to know how to run foreign programs.
 */
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { RunningGuest } from "../rig/guest";
import { BASE_SUITE, type Guest } from "../rig/guests";
import { hashOf } from "../rig/image";
import { Apt, mirror, run } from "../rig/packages";
import { bootImage, FOLDER, payloadDisk } from "./boot";

const PACKAGES = ["systemd", "systemd-sysv", "udev", "dbus", "init-system-helpers"];
/** dahdi alone: what it depends on compiles the driver, which we bring. */
const DRIVER_TOOLS = ["dahdi", "libtonezone2.0"];
/** Its udev rules. */
const DRIVER_RULES = "dahdi-linux";
const DISK_MB = 1600;
const FOREIGN_DISK_MB = 900;

const quoted = (path: string): string => `'${path.replaceAll("'", "'\\''")}'`;
/** Hooks see the machine as $1, with root's eyes also when we are not root. */
const toDisk = (disk: string, sizeMb: number): string[] => [
  // Without /proc and /sys, which are mounted in it now.
  `mkdir "$1.disk" && cp -ax "$1/." "$1.disk/"`,
  `/sbin/mke2fs -q -t ext4 -O ^metadata_csum -d "$1.disk" ${quoted(disk)} ${sizeMb}M`,
  'rm -rf "$1.disk"',
];

const mmdebstrap = (options: string[]): string =>
  run([
    ...["mmdebstrap", "--quiet", "--format=null"],
    ...["doc", "man", "locale", "info"].map((name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`),
    ...options,
    BASE_SUITE,
    "/dev/null",
    `deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${mirror()} ${BASE_SUITE} main`,
  ]);

function ownDisk(disk: string): void {
  const hooks = [`rm -rf "$1"/var/cache/apt/* "$1"/var/lib/apt/lists/*`, ...toDisk(disk, DISK_MB)];
  mmdebstrap([
    "--variant=minbase",
    `--include=${[...PACKAGES, "dahdi"].join(",")}`,
    ...hooks.map((hook) => `--customize-hook=${hook}`),
  ]);
}

const SECOND_STAGE = `
for name in proc sys dev; do mount --bind /$name /machine/$name; done
exec /machine/payload/agent
`;

async function foreignDisk(disk: string, guest: Guest): Promise<void> {
  const tools = join(FOLDER, "driver-tools");
  rmSync(tools, { recursive: true, force: true });
  const apt = new Apt(BASE_SUITE);
  apt.download(DRIVER_TOOLS, guest.arch, tools);
  // Of all architectures: apt has it with its own.
  apt.download([DRIVER_RULES], "amd64", tools);
  const wanted = ["?essential", ...PACKAGES.map((name) => `?exact-name(${name})`)];
  const hooks = [
    `cp ${quoted(tools)}/*.deb "$1"/var/cache/apt/archives/ && rm -rf "$1"/var/lib/apt/lists/*`,
    // As mmdebstrap has them for a machine of ours: nothing is started while it is built.
    `printf '#!/bin/sh\\nexit 101\\n' > "$1/usr/sbin/policy-rc.d" && chmod 755 "$1/usr/sbin/policy-rc.d"`,
    ...toDisk(disk, FOREIGN_DISK_MB),
  ];
  mmdebstrap([
    "--variant=extract",
    `--architectures=${guest.arch}`,
    `--include=?or(${wanted.join(",")})`,
    "--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr",
    ...hooks.map((hook) => `--extract-hook=${hook}`),
  ]);
  rmSync(tools, { recursive: true });
  await using machine = await RunningGuest.boot(
    guest,
    bootImage(guest, SECOND_STAGE, disk, payloadDisk(guest, {})),
    `appliance-${guest.name}-second-stage`,
  );
  // In full, or busybox would take its own. Some packages name others that are of no use here.
  const dpkg = "DEBIAN_FRONTEND=noninteractive chroot /machine /usr/bin/dpkg --force-depends";
  await machine.agent.sh(`
    set -e
    export PATH=/usr/sbin:/usr/bin:/sbin:/bin
    cd /machine
    ${dpkg} --install /$(ls var/cache/apt/archives/base-passwd_*.deb)
    ${dpkg} --install $(ls var/cache/apt/archives/*.deb | sed s,^,/,)
    rm var/cache/apt/archives/*.deb
    cd /
    for name in proc sys dev; do umount /machine/$name; done
    mount -o remount,ro /machine`);
}

export async function debianDisk(guest: Guest): Promise<string> {
  const own = guest.arch === "amd64";
  const hash = hashOf(JSON.stringify(own ? [PACKAGES, DISK_MB] : [PACKAGES, DRIVER_TOOLS, FOREIGN_DISK_MB]));
  const disk = join(FOLDER, `debian-${guest.arch}-${hash}.ext4`);
  if (existsSync(disk)) return disk;
  mkdirSync(FOLDER, { recursive: true });
  const part = `${disk}.part`;
  if (own) ownDisk(part);
  else await foreignDisk(part, guest);
  run(["mv", part, disk]);
  return disk;
}
