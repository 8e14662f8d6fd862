import { describe, expect, test } from "bun:test";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { replaceFile } from "../../../src/config/file";
import { defaultConfig } from "../../../src/config/load";
import { patchedKeys, patchedText } from "../../../src/config/patch";
import { RunningConfig } from "../../../src/config/running";
import type { Config } from "../../../src/config/schema";

describe("a patch into the file's text", () => {
  const TYPED = `# my phone
server:
  host: 127.0.0.1 # only here
  # rest_port: 8000
logging:
  # level: info
dahdi:
  channels: [1, 2] # both
tone_zone: us
`;
  test("keeps every comment and what it does not name", async () => {
    const text = await patchedText(TYPED, {
      server: { host: "0.0.0.0" },
      logging: { level: "debug" },
      dahdi: { channels: [1, 2, 3], channel: 2 },
    });
    expect(text).toBe(`# my phone
server:
  host: 0.0.0.0 # only here
  # rest_port: 8000
logging:
  level: debug
  # level: info
dahdi:
  channels: [1, 2, 3] # both
  channel: 2
tone_zone: us
`);
  });

  test("null takes a key away", async () => {
    expect(await patchedText("a: 1\nb: 2 # two\n", { a: null })).toBe("b: 2 # two\n");
  });

  test("begins a file", async () => {
    expect(await patchedText("", { server: { rest_port: 9000 } })).toBe("server:\n  rest_port: 9000\n");
  });

  test("tells the keys it names", () => {
    expect(patchedKeys({ a: 1, b: { c: null, d: [1] } })).toEqual(["a", "b.c", "b.d"]);
  });
});

describe("the running configuration", () => {
  const changed = (change: (config: Config) => void): Config => {
    const config = structuredClone(defaultConfig());
    change(config);
    return config;
  };

  test("live keys act at once, the others wait, and go on being told", () => {
    const applied: Config[] = [];
    const running = new RunningConfig(defaultConfig(), (config) => applied.push(config));
    const first = running.take(
      changed((config) => {
        config.logging.level = "debug";
        config.server.rest_port = 9000;
        config.dial_tone.enabled = true;
      }),
    );
    expect(first).toEqual({
      changed: ["server.rest_port", "dial_tone.enabled", "logging.level"],
      applied: ["dial_tone.enabled", "logging.level"],
      restart_required: ["server.rest_port"],
    });
    expect(applied).toHaveLength(1);
    expect(running.acting.logging.level).toBe("debug");
    expect(running.acting.dial_tone.enabled).toBe(true);
    expect(running.acting.server.rest_port).toBe(8000);
    const second = running.take(
      changed((config) => {
        config.server.rest_port = 9000;
        config.logging.levels = { rest: "debug" };
      }),
    );
    expect(second.applied).toEqual(["dial_tone.enabled", "logging.level", "logging.levels.rest"]);
    expect(second.restart_required).toEqual(["server.rest_port"]);
    expect(running.acting.logging.levels).toEqual({ rest: "debug" });
  });

  test("what goes back to what it was needs no restart any more", () => {
    const running = new RunningConfig(defaultConfig(), () => undefined);
    running.take(changed((config) => (config.tone_zone = "de")));
    expect(running.take(defaultConfig())).toEqual({ changed: ["tone_zone"], applied: [], restart_required: [] });
  });
});

test("a file is replaced whole, with its mode, and leaves no draft", () => {
  const folder = mkdtempSync(join(tmpdir(), "dahdi-config-file-"));
  const path = join(folder, "config.yml");
  writeFileSync(path, "a: 1\n");
  chmodSync(path, 0o600);
  replaceFile(path, "a: 2\n");
  expect(readFileSync(path, "utf8")).toBe("a: 2\n");
  expect(statSync(path).mode & 0o777).toBe(0o600);
  replaceFile(join(folder, "new.yml"), "b: 1\n");
  expect(statSync(join(folder, "new.yml")).mode & 0o777).toBe(0o640);
  expect(readdirSync(folder).sort()).toEqual(["config.yml", "new.yml"]);
  rmSync(folder, { recursive: true });
});

test("a link stays a link: the file that it leads to is replaced", () => {
  const folder = mkdtempSync(join(tmpdir(), "dahdi-config-link-"));
  mkdirSync(join(folder, "mine"));
  writeFileSync(join(folder, "mine/phone.yml"), "a: 1\n");
  symlinkSync("mine/phone.yml", join(folder, "config.yml"));
  replaceFile(join(folder, "config.yml"), "a: 2\n");
  expect(lstatSync(join(folder, "config.yml")).isSymbolicLink()).toBe(true);
  expect(readFileSync(join(folder, "mine/phone.yml"), "utf8")).toBe("a: 2\n");
  expect(readdirSync(join(folder, "mine"))).toEqual(["phone.yml"]);
  rmSync(folder, { recursive: true });
});

test("a device or a pipe is not replaced", () => {
  const folder = mkdtempSync(join(tmpdir(), "dahdi-config-pipe-"));
  const path = join(folder, "config.yml");
  Bun.spawnSync(["mkfifo", path]);
  expect(() => replaceFile(path, "a: 2\n")).toThrow("is no file");
  expect(lstatSync(path).isFIFO()).toBe(true);
  expect(readdirSync(folder)).toEqual(["config.yml"]);
  rmSync(folder, { recursive: true });
});

test("a file that may not be written is left alone, although its folder may", () => {
  const folder = mkdtempSync(join(tmpdir(), "dahdi-config-locked-"));
  chmodSync(folder, 0o777);
  const path = join(folder, "config.yml");
  writeFileSync(path, "a: 1\n");
  chmodSync(path, 0o444);
  // Root may write everything: somebody else tries.
  const script = `require(${JSON.stringify(join(import.meta.dir, "../../../src/config/file.ts"))}).replaceFile(process.argv[1], "a: 2")`;
  const somebody = process.getuid?.() === 0 ? ["setpriv", "--reuid=65534", "--clear-groups"] : [];
  const { exitCode, stderr } = Bun.spawnSync([...somebody, process.execPath, "-e", script, path]);
  expect(exitCode).not.toBe(0);
  expect(stderr.toString()).toContain("EACCES");
  expect(readFileSync(path, "utf8")).toBe("a: 1\n");
  expect(readdirSync(folder)).toEqual(["config.yml"]);
  rmSync(folder, { recursive: true });
});
