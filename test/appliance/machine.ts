/** A Debian machine with systemd under test: commands in it, its service, its disk, and the package that it is given. */
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { version } from "../../package.json";
import { RunningGuest } from "../rig/guest";
import type { Guest } from "../rig/guests";
import { run } from "../rig/packages";
import { FOLDER } from "./boot";
import { machineImage } from "./machine_image";

export const ROOT = join(import.meta.dir, "../..");
export const MINUTES_MS = 60_000;
const SERVICE = "dahdi-phone-api";
/** What it was when this was written: a switch that is opened is seen. */
export const WORST_SCORE = 1.5;

export class Machine implements AsyncDisposable {
  /** Once there is one, it is needed. */
  token: string | null = null;

  private constructor(readonly guest: RunningGuest) {}

  /** files: name below /payload → path here. */
  static async boot(guest: Guest, files: Record<string, string>): Promise<Machine> {
    const image = await machineImage(guest, files);
    const machine = new Machine(await RunningGuest.boot(guest, image, `appliance-${guest.name}`));
    await machine.until("! systemctl is-system-running | grep -q starting");
    return machine;
  }

  sh(script: string): Promise<string> {
    return this.guest.agent.sh(script);
  }

  /** Until it succeeds. */
  until(script: string): Promise<string> {
    return this.sh(
      `for i in $(seq 120); do { ${script}; } && exit 0; sleep 0.5; done; systemctl status ${SERVICE}; exit 1`,
    );
  }

  /** A command inside of it that asks its own service. */
  ask(path: string): string {
    const header = this.token === null ? "" : `--header 'Authorization: Bearer ${this.token}'`;
    return `/payload/busybox wget -q ${header} -O - http://127.0.0.1:8000${path} 2>/dev/null`;
  }

  ready(): Promise<string> {
    return this.until(this.ask("/ready"));
  }

  async shown(property: string): Promise<string> {
    return (await this.sh(`systemctl show ${SERVICE} -p ${property} --value`)).trim();
  }

  mainPid(): Promise<string> {
    return this.shown("MainPID");
  }

  /** Another process than this one serves. */
  async anewAfter(pid: string): Promise<void> {
    await this.until(`p=$(systemctl show ${SERVICE} -p MainPID --value); test "$p" != 0 && test "$p" != ${pid}`);
    await this.ready();
  }

  /** What `systemd-analyze security` says of the sandbox: of 10, and what is open. */
  async exposure(): Promise<{ score: number; open: string[] }> {
    const shown = await this.sh(`systemd-analyze security --no-pager ${SERVICE}.service`);
    const [, score] = /Overall exposure level[^:]*: ([\d.]+)/.exec(shown) ?? [];
    const open = shown.split("\n").filter((row) => row.startsWith("✗"));
    return { score: Number(score), open: open.map((row) => row.replaceAll(/\s+/g, " ")) };
  }

  /** Every name on the disk with what it is, but for what the system itself writes. */
  async disk(): Promise<string[]> {
    const pruned = ["/var/log", "/var/lib/systemd", "/var/lib/dpkg", "/var/cache", "/tmp", "/var/tmp", "/payload"];
    const prune = pruned.map((path) => `-path ${path}`).join(" -o ");
    const names = await this.sh(
      `find / -xdev \\( ${prune} \\) -prune -o \\( -type d -printf '%p/\\n' -o -printf '%p %s %l\\n' \\)`,
    );
    const users = await this.sh("sort /etc/passwd /etc/group");
    // Written anew for each user that comes and goes.
    const databases = /^\/etc\/(\.pwd\.lock|(passwd|group|shadow|gshadow|subuid|subgid)-?) /;
    return [...names.split("\n").filter((name) => !databases.test(name)), ...users.split("\n")].sort();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.guest[Symbol.asyncDispose]();
  }
}

export function difference(before: string[], after: string[]): string[] {
  const [old, now] = [new Set(before), new Set(after)];
  const came = after.filter((name) => !old.has(name)).map((name) => `+ ${name}`);
  return [...came, ...before.filter((name) => !now.has(name)).map((name) => `- ${name}`)];
}

export interface BuiltPackage {
  /** The same one, uncompressed: xz takes the emulated machine a minute. */
  path: string;
  /** What lintian has against it, once it has looked. */
  complaints: Promise<string[]>;
}

/** dist/…_ARCH.deb anew, of the executable in dist. */
export function buildPackage(arch: Guest["arch"]): BuiltPackage {
  run([process.execPath, join(ROOT, "tools/deb.ts"), arch]);
  const built = join(ROOT, `dist/dahdi-phone-api_${version}_${arch}.deb`);
  const [tree, path] = [join(FOLDER, `package-${arch}`), join(FOLDER, `package-${arch}.deb`)];
  mkdirSync(FOLDER, { recursive: true });
  rmSync(tree, { recursive: true, force: true });
  run(["dpkg-deb", "--raw-extract", built, tree]);
  run(["dpkg-deb", "--root-owner-group", "-Znone", "--build", tree, path]);
  rmSync(tree, { recursive: true });
  return { path, complaints: lintian(built) };
}

async function lintian(path: string): Promise<string[]> {
  const command = ["lintian", "--fail-on=error,warning", "--allow-root", path];
  const child = Bun.spawn(command, { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  const said = (out + err).split("\n").filter((line) => /^[EW]:/.test(line));
  return code === 0 || said.length > 0 ? said : [`lintian ended with ${code}: ${out}${err}`];
}
