/** The log on a flash card that fails under SQLite: on Bun's own SQLite, by what the C library answers. */
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LogStore } from "../../../src/events/log_store";

const root = mkdtempSync(join(tmpdir(), "dahdi-failing-card-"));
afterAll(() => rmSync(root, { recursive: true }));
const library = join(root, "failing_card.so");
const source = join(import.meta.dir, "../../support/failing_card.c");
const compiled = Bun.spawnSync(["gcc", "-shared", "-fPIC", "-D_GNU_SOURCE", "-O1", source, "-o", library]);

const WRITTEN = "written";
test.each([
  [
    "write",
    [WRITTEN, "closed", "the disk reports errors (SQLITE_IOERR_WRITE)", "closed", WRITTEN, WRITTEN, "closed"],
  ],
  // Half of it is there, as after a bad block.
  [
    "cut",
    [WRITTEN, "closed", "the disk reports errors (SQLITE_IOERR_WRITE)", "closed", WRITTEN, WRITTEN, "closed"],
  ],
  ["sync", [WRITTEN, "closed", WRITTEN, "the disk reports errors (EIO)", WRITTEN, WRITTEN, "closed"]],
])("a %s that fails is told, and what is synced after it outlives the power", (how, told) => {
  expect(String(compiled.stderr)).toBe("");
  const folder = join(root, how);
  const child = Bun.spawnSync([process.execPath, join(import.meta.dir, "on_failing_card.ts"), folder, how], {
    env: { ...process.env, LD_PRELOAD: library, FAILING_CARD: join(root, "how") },
  });
  expect(String(child.stderr)).toBe("");
  const { said, position } = JSON.parse(String(child.stdout)) as { said: string[]; position: number };
  expect(said).toEqual(told);
  const store = new LogStore({ folder, maxBytes: 1e8, maxAgeMs: 1e12 }, { nowUs: 1e15, inMemory: null });
  const { rows, gaps } = store.read(1e15 - 1, 100, { types: null, lines: null });
  const taken = how === "sync" ? 12 : 9;
  expect(position).toBe(1e15 + taken - 1);
  expect(rows.map(([id]) => id - 1e15)).toEqual(Array.from({ length: taken }, (_, i) => i));
  expect(gaps).toEqual([{ from: position + 1, to: store.firstId - 1 }]); // it was killed
  store.close();
});
