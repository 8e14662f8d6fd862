/** An installation that ends in the middle (kill -9, the power, a full disk), and files that are none of ours. */
import { describe, expect, test } from "bun:test";
import fs, { existsSync, linkSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { install } from "../../../src/appliance/install";
import { uninstall } from "../../../src/appliance/uninstall";
import { rollBack, upgrade } from "../../../src/appliance/upgrade";
import { AS_IS, BINARY, Machine } from "./machine";
import { answering, installed, installing, serving } from "./next_version";

const PREVIOUS = `${BINARY}.previous`;
const UNIT = "/etc/systemd/system/dahdi-phone-api.service";

describe("install, broken off and done again", () => {
  /** What each step leaves when nothing follows it. */
  const states: Record<string, (machine: Machine, at: (path: string) => string) => void> = {
    "a half copy": (_, at) => writeFileSync(at(`${BINARY}.new`), "versi"),
    "the one before kept, and not replaced": (_, at) => linkSync(at(BINARY), at(PREVIOUS)),
    "the one before half kept": (_, at) => linkSync(at(BINARY), at(`${PREVIOUS}.new`)),
    "the program alone": (machine, at) => {
      rmSync(at(UNIT));
      machine.renamedUnderIt(`${BINARY} (deleted)`);
    },
    "all but the start": (machine) => machine.renamedUnderIt(`${BINARY} (deleted)`),
  };
  for (const [state, leave] of Object.entries(states)) {
    test(`after ${state}`, async () => {
      using machine = await installed();
      leave(machine, (path) => join(machine.root, path));
      machine.host.executable = machine.program("newer", "version two");
      await install(machine.host, AS_IS);
      expect(machine.text(BINARY)).toBe("version two");
      expect(machine.text(PREVIOUS)).toBe("version one");
      expect(machine.told.at(-1)).toBe("systemctl restart dahdi-phone-api.service");
      expect(readdirSync(join(machine.root, dirname(BINARY))).sort()).toEqual([
        "dahdi-phone-api",
        "dahdi-phone-api.previous",
      ]);
      expect(existsSync(join(machine.root, UNIT))).toBeTrue();
      await uninstall(machine.host, true);
      expect(machine.files()).toEqual([]);
    });
  }

  test("an upgrade behind the program itself is finished by typing it again", async () => {
    using machine = await installed();
    const file = machine.program("next", serving(200));
    writeFileSync(join(machine.root, BINARY), serving(200), { mode: 0o755 });
    rmSync(join(machine.root, UNIT));
    await upgrade(machine.host, file);
    expect(machine.told.at(-1)).toBe(`${BINARY} install`);
  });

  test("what was left behind goes with uninstall", async () => {
    using machine = await installed();
    for (const left of [`${BINARY}.new`, `${BINARY}.old`, `${PREVIOUS}.new`, `${UNIT}.new`])
      machine.write(left, "x");
    await uninstall(machine.host, true);
    expect(machine.files()).toEqual([]);
  });

  test("a disk that is full leaves the program and the one before as they are", async () => {
    using machine = await installed();
    machine.host.executable = machine.program("two", "version two");
    await install(machine.host, AS_IS);
    const before = statSync(join(machine.root, PREVIOUS)).ino;
    // Not a file at all, which cannot be copied: as good as a disk without room.
    machine.host.executable = join(machine.root, "home");
    await expect(install(machine.host, AS_IS)).rejects.toThrow(BINARY);
    expect(machine.text(BINARY)).toBe("version two");
    expect(statSync(join(machine.root, PREVIOUS)).ino).toBe(before);
  });
});

describe("a rollback", () => {
  async function upgraded(): Promise<Machine> {
    const machine = await installed();
    machine.host.executable = machine.program("two", serving(200));
    await install(machine.host, AS_IS);
    const previous = join(machine.root, PREVIOUS);
    writeFileSync(previous, `${serving(200)}// version one`, { mode: 0o755 });
    answering(machine, previous);
    return machine;
  }
  const isOne = (machine: Machine, path: string): boolean => machine.text(path).endsWith("// version one");

  test("that was broken off at any step is finished by typing it again", async () => {
    for (const steps of [1, 2]) {
      using machine = await upgraded();
      const at = (path: string): string => join(machine.root, path);
      linkSync(at(BINARY), at(`${BINARY}.old`));
      if (steps === 2) renameSync(at(PREVIOUS), at(BINARY));
      await rollBack(machine.host);
      expect([isOne(machine, BINARY), isOne(machine, PREVIOUS)]).toEqual([true, false]);
      expect(existsSync(at(`${BINARY}.old`))).toBeFalse();
    }
  });

  test("to a version that does not take the configuration, or does not start, changes nothing", async () => {
    using machine = await upgraded();
    answering(machine, join(machine.root, PREVIOUS), "error");
    await expect(rollBack(machine.host)).rejects.toThrow("does not take /etc/dahdi_phone/config.yml");
    expect(isOne(machine, BINARY)).toBeFalse();
    answering(machine, join(machine.root, PREVIOUS));
    writeFileSync(join(machine.root, PREVIOUS), "#!/bin/sh\nexit 1\n", { mode: 0o755 });
    await expect(rollBack(machine.host)).rejects.toThrow("does not start");
    expect(machine.text(BINARY)).toBe(serving(200));
  });

  test("whose service does not come up goes forward again", async () => {
    using machine = await upgraded();
    let installs = 0;
    const run = machine.host.run;
    machine.host.run = async (command) =>
      command[1] === "install" && installs++ === 0 ? { code: 1, output: "no" } : run(command);
    await expect(rollBack(machine.host)).rejects.toThrow("the one that was installed runs again");
    expect([isOne(machine, BINARY), isOne(machine, PREVIOUS)]).toEqual([false, true]);
  });
});

describe("an upgrade whose service does not come up", () => {
  test("keeps what a rollback would go to, and nothing of the new one", async () => {
    using machine = await installed();
    machine.host.executable = machine.program("two", "version two");
    await install(machine.host, AS_IS);
    const three = machine.program("three", serving(200));
    answering(machine, three);
    installing(machine, three, 1);
    await expect(upgrade(machine.host, three)).rejects.toThrow("the one before runs again");
    expect([machine.text(BINARY), machine.text(PREVIOUS)]).toEqual(["version two", "version one"]);
    expect(readdirSync(join(machine.root, dirname(BINARY)))).toHaveLength(2);
  });

  test("goes back as well when it was broken off and is typed again", async () => {
    using machine = await installed();
    const two = machine.program("two", serving(200));
    answering(machine, two);
    machine.answers.set("systemctl restart", { code: 1, output: "" });
    await expect(install({ ...machine.host, executable: two }, AS_IS)).rejects.toThrow("does not come up");
    machine.answers.set(`${BINARY} install`, { code: 1, output: "" });
    await expect(upgrade(machine.host, two)).rejects.toThrow("does not come up either");
    expect(machine.text(BINARY)).toBe("version one");
    expect(existsSync(join(machine.root, PREVIOUS))).toBeFalse();
  });

  test("is not gone back from when nothing was broken off: something else is in its way", async () => {
    using machine = await installed();
    const two = machine.program("two", serving(200));
    await install({ ...machine.host, executable: two }, AS_IS);
    machine.answers.set(`${BINARY} install`, { code: 1, output: "port 8000 is in use" });
    await expect(upgrade(machine.host, two)).rejects.toThrow("is installed already, and does not come up");
    expect(machine.text(BINARY)).toBe(serving(200));
  });
});

describe("upgrade with a file that is no next version", () => {
  test.each([
    ["is empty", "", 0o755, "is empty: copy it again"],
    ["may not be run", "#!/bin/sh\n", 0o644, "chmod +x"],
  ])("%s", async (_, text, mode, message) => {
    using machine = await installed();
    const file = join(machine.root, "home/next");
    writeFileSync(file, text, { mode });
    await expect(upgrade(machine.host, file)).rejects.toThrow(message);
    await expect(upgrade(machine.host, join(machine.root, "nowhere"))).rejects.toThrow("is not there");
    await expect(upgrade(machine.host, machine.root)).rejects.toThrow("is no file");
    expect(machine.text(BINARY)).toBe("version one");
  });

  test("of another machine, says so", async () => {
    using machine = await installed();
    const file = machine.program("next", "\x7fELF of something else");
    const { run } = (await import("../../../src/appliance/host")).linuxHost(machine.root);
    machine.host.run = async (command) => (command[0] === file ? await run(command) : { code: 0, output: "" });
    await expect(upgrade(machine.host, file)).rejects.toThrow(/is no dahdi-phone-api for this machine \(\w+\): /);
  });

  test("an older one is taken, and said to be", async () => {
    using machine = await installed();
    const file = machine.program("next", serving(200));
    answering(machine, file);
    machine.answers.set(`${BINARY} --version`, { code: 0, output: "0.10.0\n" });
    installing(machine, file, 0);
    await upgrade(machine.host, file);
    expect(machine.said).toContain("! it is older than the installed 0.10.0");
  });

  test("one that hangs when it is tried is ended, whoever ends the upgrade", async () => {
    using machine = await installed();
    const file = machine.program(
      "next",
      `#!${process.execPath}\nconsole.log('{"rest_port":1}');\nsetInterval(() => {}, 1e3);\n`,
    );
    answering(machine, file);
    await expect(upgrade(machine.host, file)).rejects.toThrow("does not answer");
    const running = readdirSync("/proc").filter((pid) => {
      try {
        return /^\d+$/.test(pid) && fs.readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(file);
      } catch {
        return false;
      }
    });
    expect(running).toEqual([]);
  });
});

describe("install with options", () => {
  test("--listen below a heading whose keys are all commented out", async () => {
    using machine = new Machine();
    machine.write("/etc/dahdi_phone/config.yml", "server:\n  # rest_port: 8000\ntone_zone: de\n");
    await install(machine.host, { ...AS_IS, listen: "::1" });
    expect(machine.text("/etc/dahdi_phone/config.yml")).toContain("host: ::1");
    expect(machine.text("/etc/dahdi_phone/config.yml")).toContain("# rest_port: 8000");
    // And with another address, and without.
    await install(machine.host, { ...AS_IS, listen: "127.0.0.1" });
    expect(machine.text("/etc/dahdi_phone/config.yml")).toContain("host: 127.0.0.1");
    const before = machine.text("/etc/dahdi_phone/config.yml");
    await install(machine.host, AS_IS);
    expect(machine.text("/etc/dahdi_phone/config.yml")).toBe(before);
  });

  test.each([
    [
      "an address of no machine",
      { listen: "192.0.2.1", withToken: true },
      "",
      "--listen=192.0.2.1: is no address of this machine",
    ],
    ["a heading that is none", { listen: "::1", withToken: false }, "server: 5\n", "server: must be a mapping"],
    ["a damaged token file", { listen: null, withToken: true }, "", "tokens.json: is damaged"],
  ])("%s stops it before anything is written", async (_, options, text, message) => {
    using machine = new Machine();
    machine.write("/etc/dahdi_phone/config.yml", text);
    if (message.includes("tokens.json")) machine.write("/var/lib/dahdi-phone-api/tokens.json", "{");
    const before = machine.files();
    await expect(install(machine.host, options)).rejects.toThrow(message);
    expect(machine.files()).toEqual(before);
    expect(machine.told).toEqual([]);
  });
});
