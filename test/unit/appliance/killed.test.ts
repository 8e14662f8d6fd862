/** kill -9, or the power, at every single step that changes a file or runs a command: what is typed next mends it. */
import { describe, expect, mock, test } from "bun:test";
import fs from "node:fs";
import { join } from "node:path";
import type { Ran } from "../../../src/appliance/host";
import { tokenDigest } from "../../../src/security/token";
import { BINARY, Machine } from "./machine";
import { answering, installing, serving } from "./next_version";

class Killed extends Error {}

/** Steps until the process is ended; what it wants to do afterwards is not done either. */
let stepsLeft = Number.POSITIVE_INFINITY;

function step(): void {
  if (stepsLeft-- <= 0) throw new Killed();
}

const real = { ...fs };
const CHANGING =
  "closeSync fchmodSync fchownSync linkSync mkdirSync renameSync rmSync rmdirSync symlinkSync".split(" ");

function dying(name: string): unknown {
  const act = real[name as keyof typeof real] as (...given: unknown[]) => unknown;
  return (...given: unknown[]) => {
    step();
    return act(...given);
  };
}

mock.module("node:fs", () => ({
  ...real,
  ...Object.fromEntries(CHANGING.map((name) => [name, dying(name)])),
  openSync: (...given: Parameters<typeof real.openSync>) => {
    if (given[1] !== "r") step();
    return real.openSync(...given);
  },
  // No power goes here: what is not on the disk yet is not lost.
  fsyncSync: (descriptor: number) => {
    step();
    if (stepsLeft === Number.POSITIVE_INFINITY) real.fsyncSync(descriptor);
  },
  // Other tests' files may be written through these as well.
  writeFileSync: (...given: Parameters<typeof real.writeFileSync>) => {
    const [to, text] = given;
    if (stepsLeft === 0 && typeof text === "string") real.writeFileSync(to, text.slice(0, text.length / 2));
    step();
    real.writeFileSync(...given);
  },
  writeSync: (to: number, bytes: Buffer, at: number, length: number) => {
    if (stepsLeft === 0) real.writeSync(to, bytes, at, length >> 1);
    step();
    return real.writeSync(to, bytes, at, length);
  },
}));

const { install } = await import("../../../src/appliance/install");
const { uninstall } = await import("../../../src/appliance/uninstall");
const { rollBack, upgrade } = await import("../../../src/appliance/upgrade");

const UNIT = "/etc/systemd/system/dahdi-phone-api.service";
const CONFIG = "/etc/dahdi_phone/config.yml";
const TOKENS = "/var/lib/dahdi-phone-api/tokens.json";
const WITH_TOKEN = { listen: "0.0.0.0", withToken: true };
const ONE = `${serving(200)}// one`;
const TWO = `${serving(200)}// two`;

/** A machine whose service runs what was there when it was started, and whose commands die with their caller. */
class Mortal extends Machine {
  #running: string | null = null;

  constructor() {
    super();
    const run = this.host.run;
    const say = this.host.say;
    this.host.run = async (command): Promise<Ran> => {
      step();
      const typed = command.join(" ");
      if (typed.startsWith("systemctl show") && this.#running !== null)
        this.renamedUnderIt(this.#running.startsWith(`${this.#inode()} `) ? BINARY : `${BINARY} (deleted)`);
      const ran = await run(command);
      if (typed.startsWith("systemctl restart")) this.#running = this.#installed();
      if (typed.startsWith("systemctl stop")) [this.#running, this.active] = [null, false];
      return ran;
    };
    this.host.say = (line) => {
      step();
      return say(line);
    };
    this.host.executable = this.program("one", ONE);
    answering(this, this.program("two", TWO));
    answering(this, join(this.root, `${BINARY}.previous`));
    this.answers.set(`${BINARY} --version`, { code: 0, output: "0.1.0\n" });
    // The program that is put back installs itself, as the new one does.
    const own = this.host.run;
    this.host.run = async (command) => {
      if (command[0] !== join(this.root, BINARY) || command[1] !== "install") return own(command);
      step();
      const executable = join(this.root, BINARY);
      await install({ ...this.host, executable, held: true }, { listen: null, withToken: false });
      return { code: 0, output: "" };
    };
    installing(this, join(this.root, "home/two"), 0);
  }

  #inode(): number | null {
    return real.statSync(join(this.root, BINARY), { throwIfNoEntry: false })?.ino ?? null;
  }

  #installed(): string {
    return `${this.#inode()} ${this.text(UNIT)}${this.text(CONFIG)}`;
  }

  /** All that there is, with rights, and does the service run just that? Without secrets, and the lock, which is nobody's. */
  state(): string[] {
    const run = real.readdirSync(join(this.root, "run")).filter((name) => !name.endsWith(".lock"));
    const kept = [...this.files(), ...run.map((name) => `/run/${name}`)];
    const told = kept.map((path) => {
      const there = real.lstatSync(join(this.root, path));
      const text = there.isFile() && path !== TOKENS ? this.text(path) : "";
      return `${path} ${(there.mode & 0o7777).toString(8)} ${text}`;
    });
    if (this.#running !== null) told.push(this.#running === this.#installed() ? "runs it" : "runs something else");
    return told;
  }

  /** Whoever held the tokens' lock has been dead for as long as it takes to be sure of it. */
  letTimePass(): void {
    const lock = join(this.root, `${TOKENS}.lock`);
    if (real.existsSync(lock)) real.utimesSync(lock, 0, 0);
  }

  /** Whole, and one of ours. */
  hasWholeProgram(): boolean {
    return [ONE, TWO].includes(this.text(BINARY));
  }

  shown(): string[] {
    return this.said.join("\n").match(/dpa_\S+/g) ?? [];
  }
}

interface Story {
  /** What was there before; its tokens were shown then. */
  before(machine: Mortal): Promise<void>;
  killed(machine: Mortal): Promise<void>;
  /** What is typed next; what was killed, where nothing is said. */
  next?(machine: Mortal): Promise<void>;
  /** At no moment is there no program. */
  alwaysThere: boolean;
  /** Killed when all was done: to type it again would be another one. */
  isDone?(machine: Mortal): boolean;
}

const fresh = (machine: Mortal): Promise<void> => install(machine.host, WITH_TOKEN);
const two = (machine: Mortal): string => join(machine.root, "home/two");
const toTwo = (machine: Mortal): Promise<void> => upgrade(machine.host, two(machine));
const elsewhere = (machine: Mortal): Promise<void> =>
  install({ ...machine.host, executable: two(machine) }, { listen: "::1", withToken: false });

const STORIES: Record<string, Story> = {
  "the first install": { before: async () => undefined, killed: fresh, alwaysThere: false },
  "an install of another version on another address": { before: fresh, killed: elsewhere, alwaysThere: true },
  "an install on another address": {
    before: fresh,
    killed: (machine) => install(machine.host, { listen: "::1", withToken: false }),
    alwaysThere: true,
  },
  "an upgrade": { before: fresh, killed: toTwo, alwaysThere: true },
  "an upgrade, then install": { before: fresh, killed: toTwo, next: elsewhere, alwaysThere: true },
  "a rollback": {
    before: async (machine) => {
      await fresh(machine);
      await toTwo(machine);
    },
    killed: (machine) => rollBack(machine.host),
    alwaysThere: true,
    isDone: (machine) => machine.said.at(-1) === "" && !real.existsSync(join(machine.root, `${BINARY}.old`)),
  },
  "an uninstall, then install": {
    before: fresh,
    killed: (machine) => uninstall(machine.host, false),
    next: fresh,
    alwaysThere: false,
  },
  "a purge": { before: fresh, killed: (machine) => uninstall(machine.host, true), alwaysThere: false },
  "a purge, then install": {
    before: fresh,
    killed: (machine) => uninstall(machine.host, true),
    next: fresh,
    alwaysThere: false,
  },
};

describe("killed at every step:", () => {
  for (const [title, { before, killed, next = killed, alwaysThere, isDone }] of Object.entries(STORIES)) {
    test(title, async () => {
      using whole = new Mortal();
      await before(whole);
      await killed(whole);
      if (next !== killed) await next(whole);
      const wanted = whole.state();

      let steps = 0;
      for (let ended = false; !ended; steps++) {
        using machine = new Mortal();
        await before(machine);
        stepsLeft = steps;
        try {
          await killed(machine);
          ended = stepsLeft >= 0;
        } catch (error) {
          // Once it is dead, it is dead, whatever it calls that.
          if (stepsLeft >= 0) throw new Error(`step ${steps}`, { cause: error });
        } finally {
          stepsLeft = Number.POSITIVE_INFINITY;
        }
        machine.letTimePass();
        const there = real.existsSync(join(machine.root, BINARY));
        expect([steps, there ? machine.hasWholeProgram() : !alwaysThere]).toEqual([steps, true]);
        if (!isDone?.(machine)) await next(machine);
        expect([steps, ...machine.state()]).toEqual([steps, ...wanted]);
        if (!real.existsSync(join(machine.root, TOKENS))) continue;
        const { tokens } = JSON.parse(machine.text(TOKENS)) as { tokens: { sha256: string }[] };
        const valid = machine.shown().filter((secret) => tokens[0]?.sha256 === tokenDigest(secret));
        expect([steps, tokens.length, valid.length]).toEqual([steps, 1, 1]);
      }
      expect(steps).toBeGreaterThan(15);
    }, 120_000);
  }
});
