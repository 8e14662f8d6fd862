import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLogs, type LogOptions } from "../../../src/observe/log";

const folder = mkdtempSync(join(tmpdir(), "dahdi-log-"));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
function logging(options: Partial<LogOptions>) {
  const output = join(folder, `log-${++files}`);
  const at = new Date("2026-01-29T12:00:00.250Z");
  const logs = createLogs({ level: "info", levels: {}, format: "auto", output, ...options }, () => at);
  return { logs, text: () => readFileSync(output, "utf8") };
}

describe("the log", () => {
  test("is JSON lines where nobody looks", () => {
    const { logs, text } = logging({});
    logs.driver.error("gone", { line: 1 });
    expect(JSON.parse(text())).toEqual({
      time: "2026-01-29T12:00:00.250Z",
      level: "error",
      component: "driver",
      message: "gone",
      line: 1,
    });
  });

  test("is text where asked for", () => {
    const { logs, text } = logging({ format: "text" });
    logs.rest.warning("slow", { ms: 12 });
    expect(text()).toBe("12:00:00.250 WARNING rest      slow ms=12\n");
  });

  test("has a level for each component", () => {
    const { logs, text } = logging({ level: "error", levels: { websocket: "debug" }, format: "text" });
    logs.rest.info("no");
    logs.websocket.debug("yes");
    expect(text().trim().split("\n")).toHaveLength(1);
    expect([logs.rest.enabled("info"), logs.websocket.enabled("debug")]).toEqual([false, true]);
  });
});
