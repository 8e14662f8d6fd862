/**
 * Debian packages of suites and architectures that this machine does not run, unpacked into a folder. An apt of our
 * own with its own state asks the mirror that the machine's apt uses; nothing of the machine's is changed.
 */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export const RIG = join(import.meta.dir, "../../build/rig");

export function run(command: string[], options: { cwd?: string; input?: string } = {}): string {
  const { exitCode, stdout, stderr } = Bun.spawnSync(command, {
    ...(options.cwd ? { cwd: options.cwd } : {}),
    ...(options.input ? { stdin: Buffer.from(options.input) } : {}),
    stdout: "pipe",
    stderr: "pipe",
  });
  if (exitCode !== 0) {
    throw new Error(`${command.join(" ").slice(0, 200)} ended with ${exitCode}\n${stdout}${stderr}`.slice(-6000));
  }
  return stdout.toString();
}

/** The mirror of the machine's own Debian. */
export function mirror(): string {
  const targets = run(["apt-get", "indextargets", "--format", "$(REPO_URI) $(CODENAME)"]).trim().split("\n");
  const own = targets.map((line) => line.split(" ")).find(([, name]) => name === "bookworm");
  if (!own?.[0]) throw new Error("this machine's apt knows no Debian bookworm: sudo apt-get update");
  return own[0];
}

export class Apt {
  readonly #options: string[];

  constructor(readonly suite: string) {
    const home = join(RIG, "apt", suite);
    this.#options = Object.entries({
      "Dir::State": join(home, "state"),
      "Dir::State::status": join(home, "status"),
      "Dir::Cache": join(home, "cache"),
      "Dir::Etc::sourcelist": join(home, "sources.list"),
      "Dir::Etc::sourceparts": "-",
      "APT::Architecture": "amd64",
      "Acquire::Languages": "none",
      "APT::Sandbox::User": "root",
    }).flatMap(([key, value]) => ["-o", `${key}=${value}`]);
    this.#options.push("-o", "APT::Architectures::=amd64", "-o", "APT::Architectures::=arm64");
    if (existsSync(join(home, "ready"))) return;
    for (const folder of ["state/lists/partial", "cache/archives/partial"])
      mkdirSync(join(home, folder), { recursive: true });
    writeFileSync(join(home, "status"), "");
    const key = "/usr/share/keyrings/debian-archive-keyring.gpg";
    writeFileSync(join(home, "sources.list"), `deb [signed-by=${key}] ${mirror()} ${suite} main\n`);
    run(["apt-get", ...this.#options, "update"]);
    writeFileSync(join(home, "ready"), "");
  }

  /** The package that a meta-package (linux-image-arm64) stands for now. */
  meaning(name: string, arch: string): string {
    const depends = run(["apt-cache", ...this.#options, "depends", `${name}:${arch}`]);
    const [, meant] = /^\s*\|?Depends: (linux-(?:image|headers)-[^\s:<]+)/m.exec(depends) ?? [];
    if (!meant) throw new Error(`${name}:${arch} of ${this.suite} stands for nothing:\n${depends}`);
    return meant;
  }

  /** The kbuild package that these headers want. */
  kbuildOf(headers: string, arch: string): string {
    const depends = run(["apt-cache", ...this.#options, "depends", `${headers}:${arch}`]);
    const [, kbuild] = /(linux-kbuild-[^\s:>]+)/.exec(depends) ?? [];
    if (!kbuild) throw new Error(`${headers} names no linux-kbuild:\n${depends}`);
    return kbuild;
  }

  version(name: string, arch: string): string {
    const shown = run(["apt-cache", ...this.#options, "show", "--no-all-versions", `${name}:${arch}`]);
    return /^Version: (.*)$/m.exec(shown)?.[1] ?? "?";
  }

  /** The packages alone, without what they depend on. */
  download(names: string[], arch: string, into: string): void {
    mkdirSync(into, { recursive: true });
    run(["apt-get", ...this.#options, "download", ...names.map((name) => `${name}:${arch}`)], { cwd: into });
  }

  /** Downloads what is not there yet and unpacks it into `into`, which says when it is whole. */
  unpack(names: string[], arch: string, into: string): string {
    const whole = join(into, ".whole");
    if (existsSync(whole)) return into;
    const debs = join(RIG, "debs", this.suite, arch, names.join("+").slice(0, 100));
    mkdirSync(into, { recursive: true });
    this.download(names, arch, debs);
    for (const deb of readdirSync(debs)) run(["dpkg-deb", "-x", join(debs, deb), into]);
    run(["rm", "-rf", debs]);
    writeFileSync(whole, "");
    return into;
  }
}
