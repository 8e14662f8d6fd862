import { expect, test } from "bun:test";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { install } from "../../../src/appliance/install";
import { oneAtATime } from "../../../src/appliance/one_at_a_time";
import { uninstall } from "../../../src/appliance/uninstall";
import { rollBack, upgrade } from "../../../src/appliance/upgrade";
import { AS_IS, Machine } from "./machine";
import { installed } from "./next_version";

const BUSY = "another install, upgrade or uninstall is at work here";
const ROOT = join(import.meta.dir, "../../..");

test("whoever is second is told so, and changes nothing; afterwards it may", async () => {
  using machine = await installed();
  const file = machine.program("next", "version two");
  const before = machine.files();
  machine.told.length = 0;
  await oneAtATime(machine.host, async () => {
    await expect(install({ ...machine.host, executable: file }, AS_IS)).rejects.toThrow(BUSY);
    await expect(upgrade(machine.host, file)).rejects.toThrow(BUSY);
    await expect(rollBack(machine.host)).rejects.toThrow(BUSY);
    await expect(uninstall(machine.host, true)).rejects.toThrow(BUSY);
    // What the first one runs is part of it.
    await install({ ...machine.host, held: true }, AS_IS);
  });
  expect([machine.files(), machine.told]).toEqual([before, []]);
  expect(readdirSync(join(machine.root, "run"))).toEqual(["systemd"]);
  await uninstall(machine.host, true);
  expect(machine.files()).toEqual([]);
});

test("one that was killed keeps nobody away", async () => {
  using machine = new Machine();
  const script = join(machine.root, "holds.ts");
  writeFileSync(
    script,
    `import { oneAtATime } from "${ROOT}/src/appliance/one_at_a_time";
await oneAtATime({ root: ${JSON.stringify(machine.root)}, live: true, held: false } as never, async () => {
  console.log("held");
  await Bun.sleep(1e9);
});
`,
  );
  await using child = Bun.spawn([process.execPath, script], { stdout: "pipe" });
  for await (const said of child.stdout) {
    expect(Buffer.from(said).toString()).toBe("held\n");
    break;
  }
  await expect(install(machine.host, AS_IS)).rejects.toThrow(BUSY);
  child.kill("SIGKILL");
  await child.exited;
  expect(readdirSync(join(machine.root, "run")).sort()).toEqual(["dahdi-phone-api.lock", "systemd"]);
  await install(machine.host, AS_IS);
  expect(readdirSync(join(machine.root, "run"))).toEqual(["systemd"]);
});

test("what is filled for another machine is locked there, and keeps no trace of it", async () => {
  using machine = new Machine();
  const host = { ...machine.host, live: false };
  await oneAtATime(host, async () => {
    await expect(install(host, AS_IS)).rejects.toThrow(BUSY);
  });
  await install(host, AS_IS);
  expect(readdirSync(machine.root).sort()).toEqual(["etc", "home", "run", "usr"]);
});
