import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { install } from "../../../src/appliance/install";
import { rollBack, upgrade } from "../../../src/appliance/upgrade";
import { AS_IS, BINARY, Machine } from "./machine";

const REPORT = (status: string): string =>
  JSON.stringify({ findings: [{ id: "config", status, title: "config.yml:1: x: is not known here" }] });

/** A program that serves just enough to be tried: `health` answers with this status. */
const serving = (health: number): string => `#!${process.execPath}
const server = Bun.serve({ port: 0, fetch: () => new Response("", { status: ${health} }) });
console.log(JSON.stringify({ rest_port: server.port }));
process.on("SIGTERM", () => process.exit(0));
`;

async function installed(): Promise<Machine> {
  const machine = new Machine();
  await install(machine.host, AS_IS);
  return machine;
}

/** What the new file's own commands answer. */
function answering(machine: Machine, file: string, config = "ok"): void {
  const name = file.slice(machine.root.length);
  machine.answers.set(`${name} --version`, { code: 0, output: "0.2.0\n" });
  machine.answers.set(`${name} doctor`, { code: 1, output: REPORT(config) });
}

/** The new one's `install` changes the files, as the real one does in a process of its own. */
function installing(machine: Machine, file: string, code: number): void {
  const run = machine.host.run;
  machine.host.run = async (command) => {
    if (command[0] !== file || command[1] !== "install") return run(command);
    await install({ ...machine.host, executable: file, run }, AS_IS);
    return { code, output: "installed\n" };
  };
}

describe("upgrade", () => {
  test("tries the file, lets it install itself, keeps the one before", async () => {
    using machine = await installed();
    const file = machine.program("next", serving(200));
    answering(machine, file);
    installing(machine, file, 0);
    await upgrade(machine.host, file);
    expect(machine.text(BINARY)).toBe(serving(200));
    expect(machine.text(`${BINARY}.previous`)).toBe("version one");
    await rollBack(machine.host);
    expect(machine.text(BINARY)).toBe("version one");
    expect(machine.text(`${BINARY}.previous`)).toBe(serving(200));
    expect(machine.told.at(-1)).toBe(`${BINARY} install`);
  });

  test("goes back by itself when the service does not come up", async () => {
    using machine = await installed();
    const file = machine.program("next", serving(200));
    answering(machine, file);
    installing(machine, file, 1);
    await expect(upgrade(machine.host, file)).rejects.toThrow("the one before runs again");
    expect(machine.text(BINARY)).toBe("version one");
  });

  test.each([
    ["answers badly", serving(500), "ok", "does not answer"],
    ["does not start", "#!/bin/sh\necho no libc >&2; exit 1\n", "ok", "does not start: no libc"],
    ["does not take the configuration", serving(200), "error", "does not take /etc/dahdi_phone/config.yml"],
  ])("a file that %s changes nothing", async (_, text, config, message) => {
    using machine = await installed();
    const file = machine.program("next", text);
    answering(machine, file, config);
    machine.told.length = 0;
    await expect(upgrade(machine.host, file)).rejects.toThrow(message);
    expect(machine.text(BINARY)).toBe("version one");
    expect(existsSync(join(machine.root, `${BINARY}.previous`))).toBeFalse();
    expect(machine.told.some((command) => command.startsWith("systemctl"))).toBeFalse();
  });

  test("what is none of ours, the same, and nothing to go back to", async () => {
    using machine = await installed();
    const file = machine.program("next", "#!/bin/sh\n");
    machine.answers.set("/home/next --version", { code: 0, output: "GNU bash 5\n" });
    await expect(upgrade(machine.host, file)).rejects.toThrow("is no dahdi-phone-api for this machine");
    await expect(rollBack(machine.host)).rejects.toThrow("nothing to go back to");
    await upgrade(machine.host, machine.program("same", "version one"));
    expect(machine.said.at(-1)).toContain("unchanged");
    using bare = new Machine();
    await expect(upgrade(bare.host, null)).rejects.toThrow("install");
  });
});
