/**
 * What a guest boots: its kernel as Debian ships it, DAHDI's modules and the virtual card built for it, and one
 * initramfs with a shell, the driver's tools, the agent and our executable. Built once for each kernel and source.
 */
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { BASE_SUITE, type Guest } from "./guests";
import { Apt, RIG, run } from "./packages";

const HERE = import.meta.dir;
const ROOT = join(HERE, "../..");

/** For the network to the host, in the order in which they are loaded; what a kernel has built in is not there. */
export const KERNEL_MODULES =
  "failover net_failover virtio virtio_ring virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci virtio_net";
export const DAHDI_MODULES = ["dahdi", "dahdi_dynamic", "dahdi_dynamic_loc", "dahdi_echocan_mg2"];

export interface Image {
  kernel: string;
  initramfs: string;
  /** Raw images that the guest writes to. */
  disks?: string[];
  /** Of kernel and driver, for the report. */
  versions: { kernel: string; driver: string };
}

export const hashOf = (...parts: (string | Uint8Array)[]): string => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex").slice(0, 16);
};

const one = (folder: string, pattern: RegExp): string => {
  const name = readdirSync(folder).find((entry) => pattern.test(entry));
  if (!name) throw new Error(`no ${pattern} in ${folder}`);
  return join(folder, name);
};

function crossMake(guest: Guest): string[] {
  return guest.arch === "arm64" ? ["ARCH=arm64", "CROSS_COMPILE=aarch64-linux-gnu-"] : [];
}

export interface Kernel {
  abi: string;
  image: string;
  modules: string;
  headers: string;
}

/** The image, and headers with the build machine's own kbuild tools beside them. */
export function kernelOf(guest: Guest, apt: Apt): Kernel {
  const imageName = apt.meaning(guest.kernel.image, guest.arch);
  const headersName = apt.meaning(guest.kernel.headers, guest.arch);
  const abi = headersName.replace("linux-headers-", "");
  const folder = join(RIG, "kernels", abi);
  const image = apt.unpack([imageName], guest.arch, join(folder, "image"));
  const common = headersName.replace(/-(arm64-16k|arm64|amd64)$/, "-common");
  const depends = existsSync(join(folder, "headers/.whole")) ? "" : apt.kbuildOf(headersName, guest.arch);
  const headers = join(folder, "headers");
  if (!existsSync(join(headers, ".whole"))) {
    apt.unpack([common], "amd64", join(headers, "common"));
    apt.unpack([depends], "amd64", join(headers, "kbuild"));
    apt.unpack([headersName], guest.arch, join(headers, "own"));
    const merged = join(headers, "merged");
    for (const part of ["common", "kbuild", "own"]) run(["cp", "-a", `${join(headers, part)}/.`, `${merged}/`]);
    // Debian's headers name each other by absolute paths.
    const source = join(merged, "usr/src", headersName);
    const commonFolder = join(merged, "usr/src", common);
    const makefile = join(source, "Makefile");
    writeFileSync(makefile, readFileSync(makefile, "utf8").replaceAll(`/usr/src/${common}`, commonFolder));
    const tools = one(join(merged, "usr/lib"), /^linux-kbuild-/);
    for (const name of ["scripts", "tools"]) {
      for (const place of [source, commonFolder]) {
        run(["rm", "-rf", join(place, name)]);
        if (existsSync(join(tools, name))) run(["ln", "-s", join(tools, name), join(place, name)]);
      }
    }
    writeFileSync(join(headers, ".whole"), "");
  }
  return {
    abi,
    image: one(join(image, "boot"), /^vmlinuz-/),
    modules: image,
    headers: join(headers, "merged/usr/src", headersName),
  };
}

/** dahdi*.ko and vfxs.ko for this kernel. */
export function modulesOf(guest: Guest, kernel: Kernel): { folder: string; driver: string } {
  const apt = new Apt(guest.driverSuite);
  const driver = apt.version("dahdi-dkms", "amd64");
  const sources = ["Kbuild", "vfxs.h", "vfxs_card.c", "vfxs_port.c", "vfxs_debugfs.c"];
  const hash = hashOf(driver, ...sources.map((name) => readFileSync(join(HERE, "vfxs", name))));
  const folder = join(RIG, "modules", `${kernel.abi}-${hash}`);
  if (existsSync(join(folder, "vfxs.ko"))) return { folder, driver };
  const unpacked = apt.unpack(["dahdi-dkms"], "amd64", join(RIG, "dahdi", guest.driverSuite));
  const source = join(folder, "dahdi");
  mkdirSync(folder, { recursive: true });
  run(["rm", "-rf", source]);
  cpSync(one(join(unpacked, "usr/src"), /^dahdi-/), source, { recursive: true });
  run(["rm", "-rf", join(source, "drivers/staging")]);
  const dahdi = ["CONFIG_DAHDI=m", "CONFIG_DAHDI_DYNAMIC=m", "CONFIG_DAHDI_DYNAMIC_LOC=m"];
  dahdi.push("CONFIG_DAHDI_ECHOCAN_MG2=m");
  // Without BTF: its tool is none of the headers' packages.
  const make = (where: string, variables: string[]): string =>
    run([
      "make",
      "-j2",
      "-C",
      kernel.headers,
      `M=${where}`,
      ...crossMake(guest),
      "CONFIG_DEBUG_INFO_BTF_MODULES=",
      ...variables,
      "modules",
    ]);
  make(join(source, "drivers/dahdi"), [...dahdi, "DAHDI_BUILD_ALL=", `DAHDI_INCLUDE=${source}/include`]);
  for (const name of DAHDI_MODULES)
    cpSync(join(source, "drivers/dahdi", `${name}.ko`), join(folder, `${name}.ko`));
  const card = join(folder, "vfxs");
  mkdirSync(card, { recursive: true });
  for (const name of sources) cpSync(join(HERE, "vfxs", name), join(card, name));
  make(card, [`DAHDI_SOURCE=${source}`, `KBUILD_EXTRA_SYMBOLS=${source}/drivers/dahdi/Module.symvers`]);
  cpSync(join(card, "vfxs.ko"), join(folder, "vfxs.ko"));
  run(["rm", "-rf", source, card]);
  return { folder, driver };
}

const compilerOf = (guest: Guest): string => (guest.arch === "arm64" ? "aarch64-linux-gnu-gcc" : "gcc");

/** native/dahdi_abi.h against the driver's own header; what differs stands in the error. */
export function checkAbi(guest: Guest): void {
  const include = join(one(join(RIG, "dahdi", guest.driverSuite, "usr/src"), /^dahdi-/), "include");
  run([compilerOf(guest), "-std=gnu11", "-fsyntax-only", "-I", include, join(HERE, "abi_check.c")]);
}

export function agentOf(guest: Guest): string {
  const sources = ["agent.c", "far_end.c", "far_end.h"].map((name) => join(HERE, name));
  const hash = hashOf(...sources.map((path) => readFileSync(path)));
  const agent = join(RIG, "agents", `agent-${guest.arch}-${hash}`);
  if (existsSync(agent)) return agent;
  mkdirSync(dirname(agent), { recursive: true });
  const flags = "-static -O2 -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Werror".split(" ");
  run([compilerOf(guest), ...flags, ...sources.slice(0, 2), "-lpthread", "-o", agent]);
  return agent;
}

const dependsOf = (module: string): string[] =>
  run(["/usr/sbin/modinfo", "-F", "depends", module]).trim().split(",").filter(Boolean);

/** The kernel's modules and, before each, what it needs, into /modules of a tree; nothing of what is built in. */
export function takeModules(kernel: Kernel, names: readonly string[], tree: string): void {
  mkdirSync(join(tree, "modules"), { recursive: true });
  const early: string[] = [];
  const take = (name: string): void => {
    const found = run(["find", kernel.modules, "-name", `${name.replaceAll(/[-_]/g, "[-_]")}.ko*`])
      .trim()
      .split("\n")[0];
    if (!found || early.includes(name)) return;
    const copy = join(tree, "modules", `${name}.ko${found.endsWith(".xz") ? ".xz" : ""}`);
    cpSync(found, copy);
    if (copy.endsWith(".xz")) run(["xz", "-d", copy]);
    for (const needed of dependsOf(join(tree, "modules", `${name}.ko`))) take(needed);
    early.push(name);
  };
  for (const name of names) take(name);
  writeFileSync(join(tree, "modules/early"), `${early.join("\n")}\n`);
}

const INIT = `#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin:/sbin:/usr/sbin HOME=/tmp
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/shm /dev/pts /tmp /run
mount -t tmpfs tmpfs /dev/shm
mount -t tmpfs tmpfs /tmp
mount -t debugfs debugfs /sys/kernel/debug
ifconfig lo up
for module in $(cat /modules/early); do insmod /modules/$module.ko || echo "rig: $module.ko"; done
ifconfig eth0 10.0.2.15 netmask 255.255.255.0 up
echo "rig: agent"
exec /bin/agent
`;

/** Shell and C library of the guest's architecture, the driver's tools, the executable. */
export function buildImage(guest: Guest): Image {
  const apt = new Apt(guest.kernelSuite);
  const base = new Apt(BASE_SUITE);
  const kernel = kernelOf(guest, apt);
  const { folder: modules, driver } = modulesOf(guest, kernel);
  const agent = agentOf(guest);
  const executable = join(ROOT, `dist/dahdi-phone-api-linux-${guest.arch === "amd64" ? "x64" : "arm64"}`);
  const userland = base.unpack(
    ["busybox-static", "libc6", "dahdi", "libtonezone2.0"],
    guest.arch,
    join(RIG, "userland", guest.arch),
  );
  const hash = hashOf(kernel.abi, modules, agent, INIT, readFileSync(executable), KERNEL_MODULES);
  const initramfs = join(RIG, "images", `${guest.name}.cpio`);
  const stamp = `${initramfs}.stamp`;
  const versions = { kernel: kernel.abi, driver };
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === hash)
    return { kernel: kernel.image, initramfs, versions };

  const tree = join(RIG, "images", `${guest.name}.tree`);
  run(["rm", "-rf", tree]);
  for (const name of "bin sbin proc sys dev tmp run etc/dahdi modules usr/sbin usr/share".split(" "))
    mkdirSync(join(tree, name), { recursive: true });
  writeFileSync(join(tree, "init"), INIT, { mode: 0o755 });
  writeFileSync(join(tree, "etc/passwd"), "root:x:0:0::/:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n");
  writeFileSync(join(tree, "etc/group"), "root:x:0:\ndialout:x:20:\n");
  cpSync(join(userland, "bin/busybox"), join(tree, "bin/busybox"));
  cpSync(agent, join(tree, "bin/agent"));
  cpSync(executable, join(tree, "bin/dahdi-phone-api"));
  cpSync(join(userland, "usr/sbin/dahdi_cfg"), join(tree, "usr/sbin/dahdi_cfg"));
  const triplet = guest.arch === "amd64" ? "x86_64-linux-gnu" : "aarch64-linux-gnu";
  mkdirSync(join(tree, "lib", triplet), { recursive: true });
  for (const name of "libc.so.6 libm.so.6 libpthread.so.0 libdl.so.2 libtonezone.so.2.0".split(" ")) {
    const found = [`lib/${triplet}`, `usr/lib/${triplet}`, "usr/lib"]
      .map((place) => join(userland, place, name))
      .find((path) => existsSync(path));
    if (!found) throw new Error(`${name} is not in ${userland}`);
    run(["cp", "-L", found, join(tree, "lib", triplet, name)]);
  }
  const loader = guest.arch === "amd64" ? "lib64/ld-linux-x86-64.so.2" : "lib/ld-linux-aarch64.so.1";
  mkdirSync(join(tree, dirname(loader)), { recursive: true });
  run(["cp", "-L", join(userland, loader), join(tree, loader)]);

  const early = [...KERNEL_MODULES.split(" "), ...dependsOf(join(modules, "dahdi.ko"))];
  takeModules(kernel, early, tree);
  for (const name of [...DAHDI_MODULES, "vfxs"])
    cpSync(join(modules, `${name}.ko`), join(tree, "modules", `${name}.ko`));
  run(["sh", "-c", `find . -print0 | cpio --quiet --null -o -H newc > '${initramfs}'`], { cwd: tree });
  run(["rm", "-rf", tree]);
  writeFileSync(stamp, hash);
  return { kernel: kernel.image, initramfs, versions };
}
