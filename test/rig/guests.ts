/** The machines that the rig boots: Debian's kernels with DAHDI's own driver, emulated without KVM. */

export interface Guest {
  name: string;
  arch: "amd64" | "arm64";
  /** Debian suite of the kernel, of DAHDI's driver, and of the driver's tools. */
  kernelSuite: string;
  driverSuite: string;
  kernel: { image: string; headers: string };
  cpu: string;
  what: string;
}

export const BASE_SUITE = "bookworm";

export const GUESTS: readonly Guest[] = [
  {
    name: "x64",
    arch: "amd64",
    kernelSuite: "bookworm",
    driverSuite: "bookworm",
    kernel: { image: "linux-image-amd64", headers: "linux-headers-amd64" },
    // Bun needs AVX, which QEMU's default CPU has not.
    cpu: "max",
    what: "x86-64, kernel 6.1, DAHDI 2.11",
  },
  {
    name: "arm64",
    arch: "arm64",
    kernelSuite: "bookworm",
    driverSuite: "bookworm",
    kernel: { image: "linux-image-arm64", headers: "linux-headers-arm64" },
    cpu: "cortex-a72",
    what: "Raspberry Pi 4's CPU, kernel 6.1, DAHDI 2.11",
  },
  {
    name: "arm64-6.12",
    arch: "arm64",
    kernelSuite: "bookworm-backports",
    driverSuite: "trixie",
    kernel: { image: "linux-image-arm64", headers: "linux-headers-arm64" },
    cpu: "cortex-a72",
    what: "Raspberry Pi OS's generation: kernel 6.12, DAHDI 3.1",
  },
  {
    name: "arm64-16k",
    arch: "arm64",
    kernelSuite: "bookworm-backports",
    driverSuite: "trixie",
    kernel: { image: "linux-image-arm64-16k", headers: "linux-headers-arm64-16k" },
    cpu: "cortex-a76",
    what: "Raspberry Pi 5's pages of 16 KiB, kernel 6.12, DAHDI 3.1",
  },
];
