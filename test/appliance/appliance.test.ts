/**
 * The appliance on a Debian machine with systemd as process 1 and DAHDI's own driver: what install makes of it, what
 * keeps it up, and that nothing is left of it. One machine, one story: each test goes on where the one before ended.
 */
import { afterAll, beforeAll, expect } from "bun:test";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { version } from "../../package.json";
import { RunningGuest } from "../rig/guest";
import { GUESTS, type Guest } from "../rig/guests";
import { RIG, run } from "../rig/packages";
import { needs } from "../support/needs";
import { machineImage } from "./machine_image";

const ROOT = join(import.meta.dir, "../..");
const EXECUTABLE = join(ROOT, "dist/dahdi-phone-api-linux-x64");
const PACKAGE = join(ROOT, `dist/dahdi-phone-api_${version}_amd64.deb`);
const MINUTES_MS = 60_000;
/** What it was when this was written: a switch that is opened is seen. */
const WORST_SCORE = 1.5;

const PROGRAMS = ["qemu-system-x86_64", "mmdebstrap", "lintian"];
const missing = PROGRAMS.filter((command) => !Bun.which(command));
/** The machine is emulated, and may have to wait for this one. */
const story = (title: string, told: () => unknown): void =>
  needs(missing.length === 0, `sudo apt-get install ${missing.join(" ")}`)(title, told, 5 * MINUTES_MS);
const facts: string[] = [];

let machine: RunningGuest;
let lintian: Promise<{ code: number; output: string }>;

async function spawn(command: string[]): Promise<{ code: number; output: string }> {
  const child = Bun.spawn(command, { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { code, output: out + err };
}

const sh = (script: string): Promise<string> => machine.agent.sh(script);
/** Until it succeeds. */
const until = (script: string): Promise<string> =>
  sh(
    `for i in $(seq 120); do { ${script}; } && exit 0; sleep 0.5; done; systemctl status dahdi-phone-api; exit 1`,
  );
/** Once there is one, it is needed. */
let token: string | null = null;
const ask = (path: string): string => {
  const header = token === null ? "" : `--header 'Authorization: Bearer ${token}'`;
  return `/payload/busybox wget -q ${header} -O - http://127.0.0.1:8000${path} 2>/dev/null`;
};
const ready = (): Promise<string> => until(ask("/ready"));
const mainPid = async (): Promise<string> =>
  (await sh("systemctl show dahdi-phone-api -p MainPID --value")).trim();

/** Every name on the disk with what it is, but for what the system itself writes. */
async function disk(): Promise<string[]> {
  const pruned = ["/var/log", "/var/lib/systemd", "/var/lib/dpkg", "/var/cache", "/tmp", "/var/tmp", "/payload"];
  const prune = pruned.map((path) => `-path ${path}`).join(" -o ");
  const names = await sh(
    `find / -xdev \\( ${prune} \\) -prune -o \\( -type d -printf '%p/\\n' -o -printf '%p %s %l\\n' \\)`,
  );
  const users = await sh("sort /etc/passwd /etc/group");
  // Written anew for each user that comes and goes.
  const databases = /^\/etc\/(\.pwd\.lock|(passwd|group|shadow|gshadow|subuid|subgid)-?) /;
  return [...names.split("\n").filter((name) => !databases.test(name)), ...users.split("\n")].sort();
}

function difference(before: string[], after: string[]): string[] {
  const [old, now] = [new Set(before), new Set(after)];
  const came = after.filter((name) => !old.has(name)).map((name) => `+ ${name}`);
  return [...came, ...before.filter((name) => !now.has(name)).map((name) => `- ${name}`)];
}

let untouched: string[];

/** The same package: xz takes the emulated machine a minute. */
function uncompressed(): string {
  const folder = join(RIG, "appliance");
  const [tree, deb] = [join(folder, "package"), join(folder, "package.deb")];
  mkdirSync(folder, { recursive: true });
  rmSync(tree, { recursive: true, force: true });
  run(["dpkg-deb", "--raw-extract", PACKAGE, tree]);
  run(["dpkg-deb", "--root-owner-group", "-Znone", "--build", tree, deb]);
  rmSync(tree, { recursive: true });
  return deb;
}

beforeAll(async () => {
  if (missing.length > 0) return;
  run([process.execPath, join(ROOT, "tools/deb.ts"), "amd64"]);
  lintian = spawn(["lintian", "--fail-on=error,warning", "--allow-root", PACKAGE]);
  const image = machineImage(GUESTS[0] as Guest, { "dahdi-phone-api": EXECUTABLE, "package.deb": uncompressed() });
  machine = await RunningGuest.boot(GUESTS[0] as Guest, image, "appliance");
  facts.push(`machine with systemd up after ${machine.bootSeconds.toFixed(0)} s`);
  await until("! systemctl is-system-running | grep -q starting");
  untouched = await disk();
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
  await ready();
  const pid = await mainPid();
  const held = await sh(
    `ls -l /proc/${pid}/fd; cat /proc/${pid}/status; cat /proc/${pid}/limits; ls -l /dev/dahdi/channel`,
  );
  expect(held).toContain("/dev/dahdi/channel");
  expect(held).toMatch(/CapBnd:\s+0{16}/);
  expect(held).toMatch(/Seccomp:\s+2/);
  expect(held).toMatch(/crw-rw---- 1 \S+ dialout/);
  const diagnostics = JSON.parse(await sh(ask("/diagnostics")));
  expect(diagnostics).toMatchObject({
    engine: { realtime: true, memory_locked: true },
    event_log: { storage: "disk" },
  });
  expect(await sh(`stat -c '%U:%G %a' /etc/dahdi_phone/config.yml /var/lib/dahdi-phone-api`)).toBe(
    "root:dahdi-phone-api 660\ndahdi-phone-api:dahdi-phone-api 700\n",
  );
});

story("a second install changes nothing", async () => {
  const pid = await mainPid();
  const said = await sh("/srv/dahdi-phone-api install");
  expect(said).not.toContain("✓");
  expect(await mainPid()).toBe(pid);
});

story("the sandbox's score", async () => {
  const shown = await sh("systemd-analyze security --no-pager dahdi-phone-api.service");
  const [, score] = /Overall exposure level[^:]*: ([\d.]+)/.exec(shown) ?? [];
  facts.push(`systemd-analyze security: ${score} of 10`);
  const open = shown.split("\n").filter((row) => row.startsWith("✗"));
  facts.push(...open.map((row) => `  open: ${row.replaceAll(/\s+/g, " ")}`));
  expect(Number(score)).toBeLessThanOrEqual(WORST_SCORE);
  expect(await sh("systemd-analyze verify dahdi-phone-api.service 2>&1")).not.toContain(
    "dahdi-phone-api.service:",
  );
});

story("kill -9 is followed by a fresh start", async () => {
  const pid = await mainPid();
  await sh(`kill -9 ${pid}`);
  await until(`p=$(systemctl show dahdi-phone-api -p MainPID --value); test "$p" != 0 && test "$p" != ${pid}`);
  await ready();
});

story("the watchdog ends a process that stands still", async () => {
  const pid = await mainPid();
  await sh(`kill -STOP ${pid}; sleep 10`);
  await until(`p=$(systemctl show dahdi-phone-api -p MainPID --value); test "$p" != 0 && test "$p" != ${pid}`);
  await ready();
  expect(await sh("journalctl -u dahdi-phone-api --no-pager -o cat")).toContain("Watchdog timeout");
});

story("it is there after a reboot", async () => {
  await machine.reboot();
  await ready();
  facts.push(`up after a reboot in ${machine.bootSeconds.toFixed(0)} s`);
});

story("a token, and every address", async () => {
  const said = await sh("/srv/dahdi-phone-api install --with-token --listen=0.0.0.0");
  token = /dpa_\S+/.exec(said)?.[0] ?? null;
  const url = `http://127.0.0.1:${machine.ports.rest}/status`;
  expect((await fetch(url)).status).toBe(401);
  const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
  expect((await fetch(url, { headers })).status).toBe(200);
  // The sandbox lets it write its configuration, and systemd has it read again.
  const body = JSON.stringify({ dial_tone: { enabled: true } });
  const config = url.replace("/status", "/config");
  expect((await fetch(config, { method: "PATCH", headers, body })).status).toBe(200);
  expect(await sh("cat /etc/dahdi_phone/config.yml")).toMatch(/^ +enabled: true/m);
  const pid = await mainPid();
  await sh("systemctl reload dahdi-phone-api");
  await ready();
  expect(await mainPid()).toBe(pid);
});

story("an upgrade, and back", async () => {
  const before = await sh("sha256sum < /usr/local/bin/dahdi-phone-api");
  await sh("cp /payload/dahdi-phone-api /opt/next && echo >> /opt/next");
  const pid = await mainPid();
  expect(await sh("/opt/next upgrade")).toContain(`is version ${version}, and starts`);
  await ready();
  expect(await mainPid()).not.toBe(pid);
  expect(await sh("sha256sum < /usr/local/bin/dahdi-phone-api")).not.toBe(before);
  await sh("/usr/local/bin/dahdi-phone-api upgrade --rollback");
  await ready();
  expect(await sh("sha256sum < /usr/local/bin/dahdi-phone-api")).toBe(before);
});

story("an upgrade that does not come up goes back by itself", async () => {
  const before = await sh("sha256sum < /usr/local/bin/dahdi-phone-api");
  const folder = "/etc/systemd/system/dahdi-phone-api.service.d";
  // The new one starts when it is tried, and not as the service.
  await sh(
    `mkdir ${folder} && printf '[Service]\\nExecStartPre=/usr/bin/sh -c "! cmp -s /usr/local/bin/dahdi-phone-api /opt/next"\\n' > ${folder}/test.conf && systemctl daemon-reload`,
  );
  const { code, output } = await machine.agent.try("/opt/next upgrade");
  expect(output).toContain("the one before runs again");
  expect(code).toBe(1);
  expect(await sh("sha256sum < /usr/local/bin/dahdi-phone-api")).toBe(before);
  await ready();
  await sh(`rm -r ${folder} && systemctl daemon-reload`);
});

story("uninstall keeps what is its owner's, --purge leaves nothing", async () => {
  await sh("/usr/local/bin/dahdi-phone-api uninstall");
  const kept = difference(untouched, await disk()).filter((name) => !/^\+ \/(srv|opt)\//.test(name));
  expect(
    kept.filter((name) => !/dahdi_phone|\/var\/lib\/dahdi-phone-api|^\+ dahdi-phone-api:/.test(name)),
  ).toEqual([]);
  expect(kept).toContain("+ /var/lib/dahdi-phone-api/");
  token = null;
  await sh("/srv/dahdi-phone-api uninstall --purge && rm /srv/dahdi-phone-api /opt/next");
  expect(difference(untouched, await disk())).toEqual([]);
  expect(await sh("systemctl list-units --all --no-legend 'dahdi-phone*'")).toBe("");
});

story("lintian finds nothing in the package", async () => {
  const { code, output } = await lintian;
  expect(output.split("\n").filter((line) => /^[EW]:/.test(line))).toEqual([]);
  expect(code).toBe(0);
});

story("the package: dpkg -i, the telephone, dpkg --purge, nothing left", async () => {
  await sh("dpkg -i /payload/package.deb");
  await ready();
  expect(await sh(`readlink /proc/${await mainPid()}/exe`)).toBe("/usr/bin/dahdi-phone-api\n");
  const { code, output } = await machine.agent.try("/usr/bin/dahdi-phone-api install");
  expect([code, output]).toEqual([1, expect.stringContaining("sudo apt install")]);
  await sh("dpkg --purge dahdi-phone-api");
  expect(difference(untouched, await disk())).toEqual([]);
});
