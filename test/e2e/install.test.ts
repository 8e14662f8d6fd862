/** The executable puts itself into a folder for another machine, however it was started. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { oneAtATime } from "../../src/appliance/one_at_a_time";
import { ROOT } from "../support/server";

const EXECUTABLE = join(ROOT, "dist/dahdi-phone-api-linux-x64");
const BINARY = "usr/local/bin/dahdi-phone-api";
let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "dahdi-install-"));
});
afterEach(() => rmSync(root, { recursive: true }));

/** $0 is the executable, $1 the folder. */
function shell(script: string): { exitCode: number; stdout: string; stderr: string } {
  const { exitCode, stdout, stderr } = Bun.spawnSync(["bash", "-c", script, EXECUTABLE, root], {
    cwd: "/",
    env: {},
  });
  return { exitCode, stdout: stdout.toString(), stderr: stderr.toString() };
}

test("whatever the umask, everybody may read the folders that are made, and nobody else writes them", () => {
  for (const umask of ["000", "077"]) {
    expect(shell(`umask ${umask}; "$0" install --root="$1/${umask}"`)).toMatchObject({ exitCode: 0, stderr: "" });
    const made = readdirSync(join(root, umask), { recursive: true, withFileTypes: true });
    const folders = made.filter((entry) => entry.isDirectory());
    expect(folders.length).toBeGreaterThan(8);
    for (const { parentPath, name } of folders)
      expect([name, statSync(join(parentPath, name)).mode & 0o777]).toEqual([name, 0o755]);
    expect(statSync(join(root, umask, "etc/dahdi_phone/config.yml")).mode & 0o777).toBe(0o660);
  }
}, 60_000);

test("to somebody who does not read", () => {
  expect(shell('set -o pipefail; "$0" install --root="$1" | true')).toMatchObject({
    exitCode: 0,
    stderr: "",
  });
  expect(statSync(join(root, BINARY)).size).toBe(statSync(EXECUTABLE).size);
  expect(readdirSync(root).sort()).toEqual(["etc", "usr"]);
}, 60_000);

test("while another one is at work there, it says so and touches nothing", async () => {
  await oneAtATime({ root, live: false, held: false } as never, async () => {
    const { exitCode, stderr } = shell('"$0" install --root="$1"');
    expect([exitCode, stderr]).toEqual([
      1,
      expect.stringContaining("another install, upgrade or uninstall is at work"),
    ]);
  });
  expect(existsSync(join(root, "usr"))).toBeFalse();
});
