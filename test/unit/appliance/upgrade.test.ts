import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { rollBack, upgrade } from "../../../src/appliance/upgrade";
import { eventually } from "../../support/server";
import { BINARY, Machine } from "./machine";
import { answering, installed, installing, serving } from "./next_version";

describe("upgrade", () => {
  test("tries the file, lets it install itself, keeps the one before", async () => {
    using machine = await installed();
    const file = machine.program("next", serving(200));
    answering(machine, file);
    installing(machine, file, 0);
    await upgrade(machine.host, file);
    expect(machine.text(BINARY)).toBe(serving(200));
    expect(machine.text(`${BINARY}.previous`)).toBe("version one");
    // What was there before is tried as well.
    await expect(rollBack(machine.host)).rejects.toThrow("is no dahdi-phone-api for this machine");
    const before = `${serving(200)}// version one`;
    writeFileSync(join(machine.root, `${BINARY}.previous`), before);
    answering(machine, join(machine.root, `${BINARY}.previous`));
    await rollBack(machine.host);
    expect(machine.text(BINARY)).toBe(before);
    expect(machine.text(`${BINARY}.previous`)).toBe(serving(200));
    expect(machine.told.at(-1)).toBe(`${BINARY} install`);
  });

  test("leaves nothing running of what it tried", async () => {
    using machine = await installed();
    const noted = join(machine.root, "left-behind");
    const leaving = `require("node:fs").writeFileSync("${noted}", String(Bun.spawn(["sh", "-c", "trap '' TERM; exec sleep 300"]).pid));\n`;
    const file = machine.program("next", serving(200) + leaving);
    answering(machine, file);
    installing(machine, file, 0);
    await upgrade(machine.host, file);
    const left = readFileSync(noted, "utf8");
    const runs = (): boolean => {
      try {
        return !readFileSync(`/proc/${left}/stat`, "utf8").includes(" Z ");
      } catch {
        return false;
      }
    };
    expect(await eventually(runs, (so) => !so)).toBeFalse();
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
    expect(machine.told.at(-1)).toBe(`${BINARY} install`);
    using bare = new Machine();
    await expect(upgrade(bare.host, null)).rejects.toThrow("install");
  });
});
