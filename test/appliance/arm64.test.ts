/**
 * The arm64 package on a Raspberry Pi 4's processor with systemd as process 1 and DAHDI's own driver: short, because it
 * is emulated. What is not of the processor is told on x64 (appliance.test.ts).
 */
import { afterAll, beforeAll, expect } from "bun:test";
import { GUESTS, type Guest } from "../rig/guests";
import { EventListener, get, post } from "../support/client";
import { needs } from "../support/needs";
import { type BuiltPackage, buildPackage, difference, Machine, MINUTES_MS, WORST_SCORE } from "./machine";

const PROGRAMS = ["qemu-system-aarch64", "mmdebstrap", "lintian"];
const missing = PROGRAMS.filter((command) => !Bun.which(command));
const story = (title: string, told: () => unknown): void =>
  needs(missing.length === 0, `sudo apt-get install ${missing.join(" ")}`)(title, told, 5 * MINUTES_MS);
const guest = GUESTS.find(({ name }) => name === "arm64") as Guest;

let machine: Machine;
let built: BuiltPackage;
let untouched: string[];

beforeAll(async () => {
  if (missing.length > 0) return;
  built = buildPackage("arm64");
  machine = await Machine.boot(guest, { "package.deb": built.path });
  untouched = await machine.disk();
  // Debian's disk is built once, which takes minutes.
}, 15 * MINUTES_MS);

afterAll(() => machine?.[Symbol.asyncDispose]());

story("arm64: dpkg -i makes a service that has told systemd that it is ready", async () => {
  expect((await machine.sh("uname -m")).trim()).toBe("aarch64");
  await machine.sh("dpkg -i /payload/package.deb");
  await machine.ready();
  expect([
    await machine.shown("Type"),
    await machine.shown("ActiveState"),
    await machine.shown("NRestarts"),
  ]).toEqual(["notify", "active", "0"]);
  const pid = await machine.mainPid();
  expect(await machine.sh(`readlink /proc/${pid}/exe`)).toBe("/usr/bin/dahdi-phone-api\n");
  expect(await machine.sh(`cat /proc/${pid}/status`)).toMatch(/CapBnd:\s+0{16}\n(?:.*\n)*Seccomp:\s+2/);
  expect(JSON.parse(await machine.sh(machine.ask("/diagnostics")))).toMatchObject({
    engine: { realtime: true, memory_locked: true },
    event_log: { storage: "disk" },
  });
});

story("arm64: its sandbox is as tight as on x64", async () => {
  expect((await machine.exposure()).score).toBeLessThanOrEqual(WORST_SCORE);
});

story("arm64: a telephone rings, is lifted and heard, asked from another machine", async () => {
  const config = "server: {host: 0.0.0.0}\\nsecurity: {allow_unauthenticated: true}\\n";
  await machine.sh(`printf '${config}' > /etc/dahdi_phone/config.yml && systemctl restart dahdi-phone-api`);
  await machine.ready();
  const rest = `http://127.0.0.1:${machine.guest.ports.rest}`;
  expect((await get(`${rest}/lines`)).status).toBe(200);
  using events = await EventListener.open(`ws://127.0.0.1:${machine.guest.ports.websocket}/ws?line=1`);
  const hook = (state: 0 | 1): Promise<string> => machine.sh(`echo ${state} > /sys/kernel/debug/vfxs/1/hook`);
  expect((await post(`${rest}/lines/1/ring`, { pattern: "CONTINUOUS" })).status).toBe(200);
  await events.event("ring_start");
  await hook(1);
  await events.event("off_hook", { line: 1, answered: true });
  await hook(0);
  await events.event("on_hook");
});

story("arm64: dpkg --purge leaves nothing", async () => {
  await machine.sh("dpkg --purge dahdi-phone-api");
  expect(difference(untouched, await machine.disk())).toEqual([]);
});

story("arm64: lintian finds nothing in the package", async () => {
  expect(await built.complaints).toEqual([]);
});
