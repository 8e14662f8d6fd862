import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { firstToken } from "../../../src/appliance/first_token";
import { commandEnvironment, linuxHost } from "../../../src/appliance/host";
import { HELD } from "../../../src/appliance/one_at_a_time";

const ROOT = join(import.meta.dir, "../../..");

test("a command finds userdel, whatever the shell's PATH; Bun's own switches do not reach it, and it is not kept away", async () => {
  const { PATH, ...rest } = commandEnvironment({
    PATH: "/opt",
    BUN_OPTIONS: "--x",
    BUN_BE_BUN: "1",
    HOME: "/root",
  });
  expect(PATH?.split(":")).toEqual(expect.arrayContaining(["/opt", "/usr/sbin", "/sbin"]));
  expect(rest).toEqual({ HOME: "/root", LC_ALL: "C", [HELD]: "1" });
  expect(commandEnvironment({}).PATH).toStartWith("/usr/local/sbin:");
  expect(await linuxHost("").run(["sh", "-c", `pwd; echo $${HELD}`])).toEqual({ code: 0, output: "/\n1\n" });
  expect((await linuxHost("").run(["no-such-command"])).code).toBe(127);
});

test("who reads no longer ends nothing, and is known not to have read", async () => {
  const script = `import { linuxHost } from "${ROOT}/src/appliance/host";
while (linuxHost("").say("x")) await Bun.sleep(5);
process.exit(42);`;
  const piped = 'set -o pipefail; "$@" | true';
  const run = Bun.spawn(["bash", "-c", piped, "bash", process.execPath, "-e", script]);
  expect(await run.exited).toBe(42);
});

test("the tokens' lock of one that was killed a moment ago is outwaited", () => {
  const folder = mkdtempSync(join(tmpdir(), "appliance-token-"));
  try {
    const lock = join(folder, "tokens.json.lock");
    writeFileSync(lock, "");
    const twoSecondsAgo = Date.now() / 1000 - 2;
    utimesSync(lock, twoSecondsAgo, twoSecondsAgo);
    expect(firstToken(folder, 0, () => true)).toBeTrue();
    expect(firstToken(folder, 0, () => true)).toBeFalse();
  } finally {
    rmSync(folder, { recursive: true });
  }
});
