/** A machine to install on: a folder for its root, and a systemd that notes what it is told. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Host, Ran } from "../../../src/appliance/host";

export const AS_IS = { listen: null, withToken: false };
export const BINARY = "/usr/local/bin/dahdi-phone-api";

export class Machine implements Disposable {
  readonly root = mkdtempSync(join(tmpdir(), "appliance-unit-"));
  /** What was run, in its order, without what only asks. */
  readonly told: string[] = [];
  readonly said: string[] = [];
  /** What a command answers instead of success. By its beginning. */
  readonly answers = new Map<string, Ran>();
  active = false;
  addresses = ["127.0.0.1", "::1", "0.0.0.0"];
  restarts = 0;
  readonly host: Host;

  constructor() {
    mkdirSync(join(this.root, "run/systemd/system"), { recursive: true });
    this.host = {
      root: this.root,
      live: true,
      uid: 0,
      executable: this.program("download", "version one"),
      run: async (command) => this.#run(command.join(" ").replaceAll(this.root, "")),
      held: false,
      say: (line) => this.said.push(line) > 0,
      sleep: async () => undefined,
      listenFault: (address) => (this.addresses.includes(address) ? null : "EADDRNOTAVAIL"),
    };
  }

  /** A file that could be the program. */
  program(name: string, text: string): string {
    const path = join(this.root, "home", name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    chmodSync(path, 0o755);
    return path;
  }

  text(path: string): string {
    return readFileSync(join(this.root, path), "utf8");
  }

  write(path: string, text: string): void {
    mkdirSync(dirname(join(this.root, path)), { recursive: true });
    writeFileSync(join(this.root, path), text);
  }

  /** All that is below etc, usr and var. */
  files(): string[] {
    return ["etc", "usr", "var"]
      .filter((name) => existsSync(join(this.root, name)))
      .flatMap((name) =>
        readdirSync(join(this.root, name), { recursive: true, withFileTypes: true })
          .filter((entry) => !entry.isDirectory())
          .map((entry) => `${entry.parentPath}/${entry.name}`.slice(this.root.length)),
      )
      .sort();
  }

  #run(command: string): Ran {
    const [, answer] = [...this.answers].find(([beginning]) => command.startsWith(beginning)) ?? [];
    if (command.startsWith("systemctl show")) {
      const state = this.active ? "active" : "inactive";
      return { code: 0, output: `ActiveState=${state}\nMainPID=77\nNRestarts=${this.restarts}\n` };
    }
    if (command.startsWith("dpkg-query")) return answer ?? { code: 1, output: "no packages found" };
    this.told.push(command);
    if (answer) return answer;
    if (command.startsWith("systemctl restart")) this.#start();
    return { code: 0, output: "" };
  }

  #start(): void {
    this.active = true;
    this.write("/proc/77/x", "");
    rmSync(join(this.root, "proc/77/exe"), { force: true });
    symlinkSync(BINARY, join(this.root, "proc/77/exe"));
  }

  /** As the kernel says it of a process whose file was replaced. */
  renamedUnderIt(path: string): void {
    rmSync(join(this.root, "proc/77/exe"), { force: true });
    symlinkSync(path, join(this.root, "proc/77/exe"));
  }

  link(path: string): string {
    return readlinkSync(join(this.root, path));
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true });
  }
}
