/**
 * The appliance on a Debian machine with systemd as process 1 and DAHDI's own driver: what install makes of it, what
 * keeps it up, and that nothing is left of it. One machine, one story: each test goes on where the one before ended.
 */
import { afterAll, beforeAll, expect } from "bun:test";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { version } from "../../package.json";
import { GUESTS, type Guest } from "../rig/guests";
import { needs } from "../support/needs";
import { type BuiltPackage, buildPackage, difference, Machine, MINUTES_MS, ROOT, WORST_SCORE } from "./machine";
import { outOfMemory } from "./out_of_memory";

const EXECUTABLE = join(ROOT, "dist/dahdi-phone-api-linux-x64");

const PROGRAMS = ["qemu-system-x86_64", "mmdebstrap", "lintian"];
const missing = PROGRAMS.filter((command) => !Bun.which(command));
/** The machine is emulated, and may have to wait for this one. */
const story = (title: string, told: () => unknown): void =>
  needs(missing.length === 0, `sudo apt-get install ${missing.join(" ")}`)(title, told, 5 * MINUTES_MS);
const facts: string[] = [];

let machine: Machine;
let built: BuiltPackage;
let untouched: string[];

const sh = (script: string): Promise<string> => machine.sh(script);

beforeAll(async () => {
  if (missing.length > 0) return;
  built = buildPackage("amd64");
  machine = await Machine.boot(GUESTS[0] as Guest, { "dahdi-phone-api": EXECUTABLE, "package.deb": built.path });
  facts.push(`machine with systemd up after ${machine.guest.bootSeconds.toFixed(0)} s`);
  untouched = await machine.disk();
  // Debian's disk is built once, which takes minutes.
}, 15 * MINUTES_MS);

afterAll(async () => {
  await machine?.[Symbol.asyncDispose]();
  if (facts.length === 0) return;
  mkdirSync(join(ROOT, "dist"), { recursive: true });
  writeFileSync(join(ROOT, "dist/appliance-report.md"), facts.map((fact) => `- ${fact}\n`).join(""));
});

story(
  `the appliance${missing.length > 0 ? `: sudo tools/setup.sh test installs ${missing.join(", ")}` : ""}`,
  () => {
    expect(existsSync(EXECUTABLE)).toBeTrue();
  },
);

story("install makes a service that holds the telephone, in its sandbox", async () => {
  const said = await sh("cp /payload/dahdi-phone-api /srv/ && cd /srv && ./dahdi-phone-api install");
  expect(said).toContain("http://127.0.0.1:8000/docs");
  await machine.ready();
  const pid = await machine.mainPid();
  const held = await sh(
    `ls -l /proc/${pid}/fd; cat /proc/${pid}/status; cat /proc/${pid}/limits; ls -l /dev/dahdi/channel`,
  );
  expect(held).toContain("/dev/dahdi/channel");
  expect(held).toMatch(/CapBnd:\s+0{16}/);
  expect(held).toMatch(/Seccomp:\s+2/);
  expect(held).toMatch(/crw-rw---- 1 \S+ dialout/);
  const diagnostics = JSON.parse(await sh(machine.ask("/diagnostics")));
  expect(diagnostics).toMatchObject({
    engine: { realtime: true, memory_locked: true },
    event_log: { storage: "disk" },
  });
  expect(await sh(`stat -c '%U:%G %a' /etc/dahdi_phone/config.yml /var/lib/dahdi-phone-api`)).toBe(
    "root:dahdi-phone-api 660\ndahdi-phone-api:dahdi-phone-api 700\n",
  );
});

story("a second install changes nothing", async () => {
  const pid = await machine.mainPid();
  const said = await sh("/srv/dahdi-phone-api install");
  expect(said).not.toContain("✓");
  expect(await machine.mainPid()).toBe(pid);
});

story("the sandbox's score", async () => {
  const { score, open } = await machine.exposure();
  facts.push(`systemd-analyze security: ${score} of 10`, ...open.map((row) => `  open: ${row}`));
  expect(score).toBeLessThanOrEqual(WORST_SCORE);
  expect(await sh("systemd-analyze verify dahdi-phone-api.service 2>&1")).not.toContain(
    "dahdi-phone-api.service:",
  );
});

story("a port that another program has taken is told, and taken once it is free", async () => {
  // systemd itself has it.
  await sh(
    "systemctl stop dahdi-phone-api; systemd-run --quiet --unit=other --socket-property=ListenStream=127.0.0.1:8000 /bin/cat",
  );
  const { code, output } = await machine.guest.agent.try("/srv/dahdi-phone-api install");
  expect([code, output]).toEqual([1, expect.stringContaining("port 8000 is in use")]);
  expect(output).toContain("systemd tries again every second");
  await sh("systemctl stop other.socket");
  await machine.ready();
});

story("two at once: one installs, the other says why it does not", async () => {
  const said = await sh(
    "cd /tmp; for i in 1 2; do (/srv/dahdi-phone-api install > $i 2>&1; echo $? >> $i) & done; wait; cat 1 2; rm 1 2",
  );
  expect(said).toContain("another install, upgrade or uninstall is at work here");
  expect(said).toContain("· service  unchanged");
});

story("kill -9 is followed by a fresh start", async () => {
  const pid = await machine.mainPid();
  await sh(`kill -9 ${pid}`);
  await machine.anewAfter(pid);
});

story("the watchdog ends a process that stands still", async () => {
  const pid = await machine.mainPid();
  await sh(`kill -STOP ${pid}; sleep 10`);
  await machine.anewAfter(pid);
  expect(await sh("journalctl -u dahdi-phone-api --no-pager -o cat")).toContain("Watchdog timeout");
});

story("it is there after a reboot", async () => {
  await machine.guest.reboot();
  await machine.ready();
  facts.push(`up after a reboot in ${machine.guest.bootSeconds.toFixed(0)} s`);
});

story("a token, and every address", async () => {
  const said = await sh("/srv/dahdi-phone-api install --with-token --listen=0.0.0.0");
  const token = /dpa_\S+/.exec(said)?.[0] ?? null;
  machine.token = token;
  const url = `http://127.0.0.1:${machine.guest.ports.rest}/status`;
  expect((await fetch(url)).status).toBe(401);
  const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
  expect((await fetch(url, { headers })).status).toBe(200);
  // The sandbox lets it write its configuration, and systemd has it read again.
  const body = JSON.stringify({ dial_tone: { enabled: true } });
  const config = url.replace("/status", "/config");
  expect((await fetch(config, { method: "PATCH", headers, body })).status).toBe(200);
  expect(await sh("cat /etc/dahdi_phone/config.yml")).toMatch(/^ +enabled: true/m);
  const pid = await machine.mainPid();
  await sh("systemctl reload dahdi-phone-api");
  await machine.ready();
  expect(await machine.mainPid()).toBe(pid);
});

outOfMemory(story, () => machine);

story("an upgrade, and back", async () => {
  const before = await sh("sha256sum < /usr/local/bin/dahdi-phone-api");
  await sh("cp /payload/dahdi-phone-api /opt/next && echo >> /opt/next");
  const pid = await machine.mainPid();
  expect(await sh("/opt/next upgrade")).toContain(`is version ${version}, and starts`);
  await machine.ready();
  expect(await machine.mainPid()).not.toBe(pid);
  expect(await sh("sha256sum < /usr/local/bin/dahdi-phone-api")).not.toBe(before);
  await sh("/usr/local/bin/dahdi-phone-api upgrade --rollback");
  await machine.ready();
  expect(await sh("sha256sum < /usr/local/bin/dahdi-phone-api")).toBe(before);
});

story("an upgrade that does not come up goes back by itself", async () => {
  const before = await sh("sha256sum < /usr/local/bin/dahdi-phone-api");
  const folder = "/etc/systemd/system/dahdi-phone-api.service.d";
  // The new one starts when it is tried, and not as the service.
  await sh(
    `mkdir ${folder} && printf '[Service]\\nExecStartPre=/usr/bin/sh -c "! cmp -s /usr/local/bin/dahdi-phone-api /opt/next"\\n' > ${folder}/test.conf && systemctl daemon-reload`,
  );
  const kept = await sh("sha256sum < /usr/local/bin/dahdi-phone-api.previous");
  const { code, output } = await machine.guest.agent.try("/opt/next upgrade");
  expect(output).toContain("the one before runs again");
  expect(code).toBe(1);
  expect(await sh("sha256sum < /usr/local/bin/dahdi-phone-api")).toBe(before);
  expect(await sh("sha256sum < /usr/local/bin/dahdi-phone-api.previous")).toBe(kept);
  await machine.ready();
  await sh(`rm -r ${folder} && systemctl daemon-reload`);
});

story("uninstall keeps what is its owner's, --purge leaves nothing", async () => {
  await sh("/usr/local/bin/dahdi-phone-api uninstall");
  const kept = difference(untouched, await machine.disk()).filter((name) => !/^\+ \/(srv|opt)\//.test(name));
  expect(
    kept.filter((name) => !/dahdi_phone|\/var\/lib\/dahdi-phone-api|^\+ dahdi-phone-api:/.test(name)),
  ).toEqual([]);
  expect(kept).toContain("+ /var/lib/dahdi-phone-api/");
  machine.token = null;
  await sh("/srv/dahdi-phone-api uninstall --purge && rm /srv/dahdi-phone-api /opt/next");
  expect(difference(untouched, await machine.disk())).toEqual([]);
  expect(await sh("systemctl list-units --all --no-legend 'dahdi-phone*'")).toBe("");
});

story("--purge also where the shell's PATH has no userdel, after an install under umask 000", async () => {
  await sh("cp /payload/dahdi-phone-api /srv/ && (umask 000; /srv/dahdi-phone-api install)");
  expect(await sh("stat -c %a /etc/sysusers.d /etc/udev/rules.d")).toBe("755\n755\n");
  await sh("PATH=/usr/bin:/bin /srv/dahdi-phone-api uninstall --purge && rm /srv/dahdi-phone-api");
  expect(difference(untouched, await machine.disk())).toEqual([]);
});

story("lintian finds nothing in the package", async () => {
  expect(await built.complaints).toEqual([]);
});

story("the package: dpkg -i, the telephone, dpkg --purge, nothing left", async () => {
  await sh("dpkg -i /payload/package.deb");
  await machine.ready();
  expect(await sh(`readlink /proc/${await machine.mainPid()}/exe`)).toBe("/usr/bin/dahdi-phone-api\n");
  const { code, output } = await machine.guest.agent.try("/usr/bin/dahdi-phone-api install");
  expect([code, output]).toEqual([1, expect.stringContaining("sudo apt install")]);
  await sh("dpkg --purge dahdi-phone-api");
  expect(difference(untouched, await machine.disk())).toEqual([]);
});
