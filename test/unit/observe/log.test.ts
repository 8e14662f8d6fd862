import { afterAll, describe, expect, test } from "bun:test";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLogs, type LogOptions } from "../../../src/observe/log";
import { LogFile } from "../../../src/observe/log_file";
import { needs } from "../../support/needs";

const folder = mkdtempSync(join(tmpdir(), "dahdi-log-"));
afterAll(() => rmSync(folder, { recursive: true }));

const asRoot = needs(process.getuid?.() === 0, "run it as root");
let files = 0;
function logging(options: Partial<LogOptions>) {
  const output = join(folder, `log-${++files}`);
  const at = new Date("2026-01-29T12:00:00.250Z");
  const { logs, control } = createLogs(
    { level: "info", levels: {}, format: "auto", output, maxBytes: 0, keep: 2, journal: false, ...options },
    () => at,
  );
  return {
    logs,
    control,
    output,
    text: async () => {
      await control.flushed();
      return readFileSync(output, "utf8");
    },
  };
}

describe("the log", () => {
  test("is JSON lines where nobody looks", async () => {
    const { logs, text } = logging({});
    logs.driver.error("gone", { line: 1 });
    expect(JSON.parse(await text())).toEqual({
      time: "2026-01-29T12:00:00.250Z",
      level: "error",
      component: "driver",
      message: "gone",
      line: 1,
    });
  });

  test("is text where asked for", async () => {
    const { logs, text } = logging({ format: "text" });
    logs.rest.warning("slow", { ms: 12 });
    expect(await text()).toBe("12:00:00.250 WARNING rest      slow ms=12\n");
  });

  test("has a level for each component", async () => {
    const { logs, text } = logging({ level: "error", levels: { websocket: "debug" }, format: "text" });
    logs.rest.info("no");
    logs.websocket.debug("yes");
    expect((await text()).trim().split("\n")).toHaveLength(1);
    expect([logs.rest.enabled("info"), logs.websocket.enabled("debug")]).toEqual([false, true]);
  });

  test("changes its levels while it runs", async () => {
    const { logs, control, text } = logging({ level: "error", format: "text" });
    logs.rest.info("no");
    control.setLevels({ level: "error", levels: { rest: "info" } });
    logs.rest.info("yes");
    logs.driver.info("no");
    expect(await text()).toContain("yes");
    expect(await text()).not.toContain("no");
  });

  test("remembers the newest lines", () => {
    const { logs, control } = logging({ format: "text" });
    for (let i = 0; i < 510; i++) logs.server.info("line", { i });
    expect(control.recent()).toHaveLength(500);
    expect(JSON.parse(control.recent().at(-1) ?? "").i).toBe(509);
  });

  test("stays within its bound, whole lines in as many files as are kept", async () => {
    const { logs, control, output } = logging({ format: "text", maxBytes: 200, keep: 2 });
    for (let i = 0; i < 20; i++) logs.server.info("line", { i });
    await control.flushed();
    const files = ["", ".1", ".2", ".3"].map((end) => `${output}${end}`).filter((path) => existsSync(path));
    expect(files).toHaveLength(3);
    const numbers = files.reverse().flatMap((path) => {
      const text = readFileSync(path, "utf8");
      expect(text.length).toBeLessThanOrEqual(200);
      return text
        .trim()
        .split("\n")
        .map((line) => Number(/i=(\d+)$/.exec(line)?.[1]));
    });
    expect(numbers.at(-1)).toBe(19);
    expect(numbers).toEqual(numbers.map((_, i) => (numbers[0] ?? 0) + i));
  });

  asRoot("that is a device is never moved away", async () => {
    const device = join(folder, "null");
    Bun.spawnSync(["mknod", device, "c", "1", "3"]);
    const file = new LogFile({
      path: device,
      maxBytes: 100,
      keep: 2,
      monotonicMs: () => 0,
      complain: () => undefined,
    });
    for (let i = 0; i < 30; i++) await file.append([`a line of some length, number ${i}\n`]);
    expect(lstatSync(device).isCharacterDevice()).toBe(true);
    expect(existsSync(`${device}.1`)).toBe(false);
  });

  test("whose folder takes no other name begins its file anew, and loses only what is old", async () => {
    const { logs, output, text } = logging({ format: "text", maxBytes: 400, keep: 1 });
    mkdirSync(`${output}.1`);
    for (let i = 0; i < 20; i++) logs.server.info("line", { i });
    expect(await text()).toContain("i=19");
    expect(await text()).toContain("begins anew each time");
    expect((await text()).length).toBeLessThanOrEqual(400);
  });

  test("goes on in a new file when somebody moved the old one away", async () => {
    const { logs, control, output, text } = logging({ format: "text" });
    logs.server.info("before");
    await control.flushed();
    renameSync(output, `${output}.moved`);
    control.reopen();
    logs.server.info("after");
    expect(await text()).toContain("after");
    expect(await text()).not.toContain("before");
  });

  test("tells journald how grave a line is", () => {
    const options = {
      level: "info",
      levels: {},
      format: "json",
      output: "stderr",
      maxBytes: 0,
      keep: 0,
      journal: true,
    };
    const { stderr } = inAProcess(`
      const { logs } = createLogs(${JSON.stringify(options)});
      logs.driver.error("gone");
      logs.driver.info("back");
    `);
    const lines = stderr.toString().trim().split("\n");
    expect(lines.map((line) => line.slice(0, 4))).toEqual(["<3>{", "<6>{"]);
  });

  test("is whole when the process ends at once", () => {
    const { stdout } = inAProcess(`
      const { write } = lineWriter("stdout");
      for (let i = 0; i < 100; i++) write("line " + i + "\\n");
      process.exit(0);
    `);
    // No more than a socket takes from one that writes a line at a time and whose reader sleeps.
    expect(stdout.toString().trim().split("\n")).toEqual(Array.from({ length: 100 }, (_, i) => `line ${i}`));
  });

  test("a reader that stands still costs a bounded amount", () => {
    const { stderr } = inAProcess(
      `
      const { write } = lineWriter("stdout");
      for (let i = 0; i < 16_384; i++) write("x".repeat(1023) + "\\n");
      lineWriter("stderr").write("all written\\n");
    `,
      // The reader begins when all was written: 16 MB, of which one may be kept and some stands in the pipe.
      'mkfifo "$2.told"; { "$@" 2>"$2.told"; } | { read -r told <"$2.told"; wc -c >&2; }',
    );
    expect(Number(stderr.toString())).toBeWithin(500_000, 3_000_000);
  });

  test("whoever reads it may go", () => {
    const { stderr } = inAProcess(
      `
      const { write } = lineWriter("stdout");
      for (let i = 0; i < 20; i++) {
        write("line\\n");
        await Bun.sleep(5);
      }
      lineWriter("stderr").write("still here");
    `,
      '"$@" | true',
    );
    expect(stderr.toString()).toBe("still here");
  });

  test("a pipe is no terminal, and what script makes is one", () => {
    const asked = 'lineWriter("stderr").write(String(isTerminal("stdout")));';
    expect(inAProcess(asked).stderr.toString()).toBe("false");
    expect(inAProcess(asked, '"$@" >/dev/null').stderr.toString()).toBe("false");
    const onATerminal = inAProcess(
      'lineWriter("stdout").write(String(isTerminal("stdout")));',
      'script -qec "$*" /dev/null',
    );
    expect(onATerminal.stdout.toString()).toContain("true");
  });
});

/** What standard output and error are is a process's own. */
function inAProcess(code: string, shell = 'exec "$@"') {
  const folder = mkdtempSync(join(tmpdir(), "dahdi-log-"));
  const file = join(folder, "code.ts");
  const source = join(import.meta.dir, "../../../src/observe");
  writeFileSync(
    file,
    `import { createLogs } from ${JSON.stringify(join(source, "log"))};
    import { isTerminal, lineWriter } from ${JSON.stringify(join(source, "standard_output"))};
    ${code}`,
  );
  const ran = Bun.spawnSync(["sh", "-c", shell, "sh", process.execPath, file]);
  rmSync(folder, { recursive: true });
  return ran;
}
