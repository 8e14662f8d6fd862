import { afterEach, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MessageCounts } from "../../src/commands/message_counts";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});
function somewhere() {
  const folder = mkdtempSync(join(tmpdir(), "dahdi-messages-"));
  folders.push(folder);
  const warned: string[] = [];
  const log = { warning: (message: string) => void warned.push(message) };
  return { folder, warned, counts: () => new MessageCounts(folder, log) };
}

test("what waits is known to the next start, the last word of many", async () => {
  const { folder, counts, warned } = somewhere();
  const before = counts();
  for (let count = 1; count <= 50; count++) before.keep(2, count);
  before.keep(1, 3);
  before.keep(1, 0);
  await before.saved();
  expect([...counts().waiting]).toEqual([[2, 50]]);
  expect(readdirSync(folder)).toEqual(["messages.json"]);
  expect(warned).toEqual([]);
});

test.each(["", "{", "null", '{"messages":{"1":-1}}', '{"messages":{"1":"many"}}', '{"messages":{"1":1000}}'])(
  "damaged (%s): said once, and none waits",
  async (text) => {
    const { folder, counts, warned } = somewhere();
    writeFileSync(join(folder, "messages.json"), text);
    const after = counts();
    expect(after.waiting.size).toBe(0);
    expect(warned).toHaveLength(1);
    after.keep(1, 2);
    await after.saved();
    expect([...counts().waiting]).toEqual([[1, 2]]);
  },
);

test("what a power cut left half written does not count", async () => {
  const { folder, counts } = somewhere();
  const before = counts();
  before.keep(1, 4);
  await before.saved();
  writeFileSync(join(folder, "messages.json.new"), '{"mess');
  expect([...counts().waiting]).toEqual([[1, 4]]);
});

test("a folder that cannot be written is said, and nothing fails", async () => {
  const { folder, counts, warned } = somewhere();
  const before = counts();
  rmSync(folder, { recursive: true });
  writeFileSync(folder, "a file");
  before.keep(1, 1);
  await before.saved();
  expect(warned).toHaveLength(1);
});
