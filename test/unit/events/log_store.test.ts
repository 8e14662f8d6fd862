import { Database } from "bun:sqlite";
import { afterAll, describe, expect, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LogKeeper } from "../../../src/events/log_keeper";
import { cursorName } from "../../../src/events/log_layout";
import type { FromLogThread, StoreState } from "../../../src/events/log_messages";
import type { StoredRow } from "../../../src/events/log_pieces";
import { LogStore, type OpenRequest } from "../../../src/events/log_store";
import { T0 } from "./sink";

const root = mkdtempSync(join(tmpdir(), "dahdi-log-"));
afterAll(() => rmSync(root, { recursive: true }));
let folders = 0;
const folder = (): string => join(root, String(++folders));

const T0_US = T0 * 1000;
const EVERYTHING = { types: null, lines: null };
const MIB = 1024 * 1024;
const open = (where: string, nowUs = T0_US, more: Partial<OpenRequest> = {}, maxBytes = 64 * MIB) =>
  new LogStore({ folder: where, maxBytes, maxAgeMs: 30 * 86_400_000 }, { nowUs, inMemory: null, ...more });
const row = (id: number, type = "flash", line = 1, atMs = T0): StoredRow => [
  id,
  line,
  atMs,
  type,
  '{"duration":300}',
];
const ids = (store: LogStore, after: number, limit = 1000, filter = EVERYTHING as never) =>
  store.read(after, limit, filter).rows.map(([id]) => id);

describe("the log on disk", () => {
  test("is private, and goes on where it ended", () => {
    const where = folder();
    const first = open(where);
    expect(first.firstId).toBe(T0_US);
    first.write([row(T0_US), row(T0_US + 1)], null, [["hook", T0_US]]);
    first.close();
    expect(statSync(where).mode & 0o777).toBe(0o700);
    expect(statSync(join(where, "events.db")).mode & 0o777).toBe(0o600);
    // Nothing is left beside it: it was closed whole.
    expect(readdirSync(where)).toEqual(["events.db"]);

    const second = open(where, T0_US + 5_000_000);
    expect(second.firstId).toBe(T0_US + 5_000_000);
    expect(ids(second, T0_US - 1)).toEqual([T0_US, T0_US + 1]);
    expect(second.read(T0_US - 1, 10, EVERYTHING)).toMatchObject({ gaps: [], next: second.firstId - 1 });
    expect(second.cursors()).toEqual([["hook", T0_US]]);
    // No client can have seen what lies between two processes that ended well.
    expect(second.neverGiven()).toEqual([{ from: T0_US + 2, to: second.firstId - 2 }]);
    second.close();
  });

  test("after a clock that went back, ids still grow", () => {
    const where = folder();
    const first = open(where);
    first.write([row(T0_US)], null, []);
    first.close();
    const second = open(where, T0_US - 3_600_000_000);
    expect(second.firstId).toBe(T0_US + 1);
    second.abandon();
    // Crashed with events that were never written: their ids are not given again.
    const third = open(where, T0_US - 3_600_000_000);
    expect(third.firstId).toBeGreaterThan(T0_US + 100_000);
    third.close();
  });

  test("after a crash it says what may be lost", () => {
    const where = folder();
    const first = open(where);
    first.write([row(T0_US)], null, []);
    first.abandon();
    const second = open(where, T0_US + 100);
    second.write([row(second.firstId)], null, []);
    const { rows, gaps } = second.read(T0_US - 1, 10, EVERYTHING);
    expect(rows.map(([id]) => id)).toEqual([T0_US, second.firstId]);
    expect(gaps).toEqual([{ from: T0_US + 1, to: second.firstId - 1 }]);
    expect(second.read(T0_US + 50, 10, EVERYTHING).gaps).toEqual([{ from: T0_US + 51, to: second.firstId - 1 }]);
    second.close();
  });

  test("that is opened late takes what memory has", () => {
    const where = folder();
    open(where).close();
    const late = open(where, T0_US, { inMemory: { firstId: T0_US + 10, oldestId: T0_US + 10 } });
    expect(late.position).toBe(T0_US + 9);
    late.write([row(T0_US + 10)], null, []);
    expect(late.read(T0_US - 1, 10, EVERYTHING).gaps).toEqual([]);
    late.abandon();
    // The same process with a new thread goes on, and nothing is lost.
    const again = open(where, T0_US, { inMemory: { firstId: T0_US + 10, oldestId: T0_US + 10 } });
    expect(again.position).toBe(T0_US + 10);
    expect(again.read(T0_US - 1, 10, EVERYTHING).gaps).toEqual([]);
    again.close();
    const dropped = open(where, T0_US, { inMemory: { firstId: T0_US + 20, oldestId: T0_US + 30 } });
    expect(dropped.read(T0_US + 10, 10, EVERYTHING).gaps).toEqual([{ from: T0_US + 11, to: T0_US + 29 }]);
    dropped.close();
  });

  test("filters, and says how far it looked", () => {
    const store = open(folder());
    store.write(
      Array.from({ length: 100 }, (_, i) => row(T0_US + i, i % 10 === 0 ? "on_hook" : "flash", (i % 2) + 1)),
      null,
      [],
    );
    const hooks = store.read(T0_US - 1, 3, { types: ["on_hook"], lines: null });
    expect(hooks.rows.map(([id]) => id - T0_US)).toEqual([0, 10, 20]);
    expect(hooks.next).toBe(T0_US + 20);
    const rest = store.read(hooks.next, 100, { types: ["on_hook"], lines: [1] });
    expect(rest.rows).toHaveLength(7);
    expect(rest.next).toBe(T0_US + 99);
    expect(store.read(T0_US - 1, 100, { types: null, lines: [2] }).rows).toHaveLength(50);
    store.close();
  });

  test("is read backwards as well: the newest that pass, and what was lost between them", () => {
    const where = folder();
    const first = open(where);
    first.write(
      Array.from({ length: 100 }, (_, i) => row(T0_US + i, i % 10 === 0 ? "on_hook" : "flash")),
      null,
      [],
    );
    first.abandon();
    const store = open(where, T0_US + 1000);
    store.write([row(store.firstId), row(store.firstId + 1)], null, []);
    const newest = store.readBack(store.firstId, 3, EVERYTHING);
    expect(newest.rows.map(([id]) => id)).toEqual([store.firstId, T0_US + 99, T0_US + 98]);
    expect(newest).toMatchObject({ gaps: [{ from: T0_US + 100, to: store.firstId - 1 }], next: T0_US + 97 });
    const hooks = { types: ["on_hook"], lines: null };
    expect(store.readBack(newest.next, 2, hooks).rows.map(([id]) => id - T0_US)).toEqual([90, 80]);
    expect(store.readBack(T0_US + 5, 100, hooks)).toMatchObject({ gaps: [], next: T0_US - 1 });
    // Past what it has: lost, as far as it knows.
    expect(store.readBack(store.position + 7, 1, EVERYTHING).gaps).toEqual([
      { from: store.position + 1, to: store.position + 7 },
    ]);
    store.close();
  });

  test("keeps to its size, oldest first, a step at a time", () => {
    const store = open(folder(), T0_US, {}, MIB);
    let id = T0_US;
    for (let batch = 0; batch < 100; batch++) {
      const body = JSON.stringify({ text: "x".repeat(100) });
      store.write(
        Array.from({ length: 200 }, (): StoredRow => [id++, 1, T0, "flash", body]),
        null,
        [],
      );
      if (store.usedBytes > store.maxBytes) store.prune(T0);
      expect(store.usedBytes).toBeLessThan(MIB * 1.1);
    }
    expect(store.reachesFrom).toBeGreaterThan(T0_US);
    expect(ids(store, store.reachesFrom)[0]).toBe(store.reachesFrom + 1);
    expect(store.read(T0_US, 1, EVERYTHING).gaps).toEqual([{ from: T0_US + 1, to: store.reachesFrom }]);
    store.close();
  });

  test("drops what is too old, and only that", () => {
    const store = open(folder());
    const old = T0 - 40 * 86_400_000;
    store.write(
      Array.from({ length: 1200 }, (_, i) => row(T0_US + i, "flash", 1, i < 700 ? old : T0)),
      null,
      [],
    );
    expect(store.prune(T0)).toBe(true);
    expect(store.reachesFrom).toBe(T0_US + 499);
    expect(store.prune(T0)).toBe(false);
    expect(store.reachesFrom).toBe(T0_US + 699);
    expect(store.prune(T0)).toBe(false);
    expect(ids(store, 0)).toHaveLength(500);
    store.close();
  });
});

/** The tables as they are, in a file that another program filled. */
const OURS = `CREATE TABLE events (id INTEGER PRIMARY KEY, line INTEGER NOT NULL, at_ms INTEGER NOT NULL, type TEXT NOT NULL, body TEXT NOT NULL);
  CREATE TABLE holes (from_id INTEGER PRIMARY KEY, to_id INTEGER NOT NULL, lost INTEGER NOT NULL);
  CREATE TABLE cursors (name TEXT PRIMARY KEY, id INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE facts (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
  PRAGMA user_version = 1`;

/** The keeper without a thread: what it tells, and timers that the test lets run. */
function keeper() {
  const told: FromLogThread[] = [];
  const timers: (() => void)[] = [];
  const one = new LogKeeper((message) => told.push(message), {
    nowMs: () => T0,
    steadyMs: () => 0,
    after: (_, call) => timers.push(call),
  });
  const openAt = (where: string | null) =>
    one.handle({
      do: "open",
      options: { folder: where, maxBytes: 64 * MIB, maxAgeMs: 1e12 },
      request: { nowUs: T0_US, inMemory: null },
    });
  return { one, told, timers, openAt };
}

describe("a disk that fails", () => {
  test("a damaged file is set aside, and three of them are kept", () => {
    const where = folder();
    open(where).close();
    for (let i = 0; i < 5; i++) {
      writeFileSync(join(where, `events.db.corrupt-2020010${i}T000000Z`), "older");
    }
    writeFileSync(join(where, "events.db"), "nonsense ".repeat(1000));
    const { one, told, openAt } = keeper();
    openAt(where);
    expect(told[0]).toMatchObject({
      told: "opened",
      setAside: {
        name: "events.db.corrupt-20260129T120000Z",
        problem: "the file is damaged (SQLITE_NOTADB)",
      },
    });
    expect(readFileSync(join(where, "events.db.corrupt-20260129T120000Z"), "utf8")).toStartWith("nonsense");
    expect(readdirSync(where).filter((file) => file.includes("corrupt"))).toHaveLength(3);
    one.handle({ do: "close" });
  });

  test("damage inside is found when it is read, set aside, and said", () => {
    const where = folder();
    const store = open(where);
    store.write(
      Array.from({ length: 5000 }, (_, i) => row(T0_US + i)),
      null,
      [],
    );
    store.close();
    const bytes = readFileSync(join(where, "events.db"));
    bytes.fill(0xa5, 20 * 1024, 40 * 1024);
    writeFileSync(join(where, "events.db"), bytes);
    const { one, told, openAt } = keeper();
    openAt(where);
    for (
      let after = T0_US;
      after < T0_US + 5000 && !told.some(({ told: what }) => what === "failed");
      after += 100
    ) {
      one.handle({ do: "read", ticket: 1, which: "after", id: after, limit: 100, filter: EVERYTHING });
    }
    expect(told.find(({ told: what }) => what === "failed")).toMatchObject({ closed: true });
    openAt(where);
    expect(told.at(-1)).toMatchObject({ told: "opened", setAside: { name: expect.stringContaining("corrupt") } });
    one.handle({ do: "close" });
  });

  test("a newer version's file is not touched but set aside", () => {
    const where = folder();
    const store = open(where);
    store.close();
    const bytes = readFileSync(join(where, "events.db"));
    bytes.writeUInt32BE(99, 60); // user_version
    writeFileSync(join(where, "events.db"), bytes);
    const { one, told, openAt } = keeper();
    openAt(where);
    expect(told[0]).toMatchObject({
      told: "opened",
      setAside: { problem: "a newer version of this program wrote the file (NEWER_FILE)" },
    });
    one.handle({ do: "close" });
  });

  test.each([
    ["nothing of ours", "CREATE TABLE customers (id INTEGER PRIMARY KEY); PRAGMA user_version = 1"],
    ["our names", "CREATE TABLE events (id TEXT); CREATE TABLE facts (x); PRAGMA user_version = 1"],
    ["no number", "CREATE TABLE customers (id INTEGER PRIMARY KEY)"],
    [
      "facts that no log of ours could hold",
      `${OURS}; INSERT INTO facts VALUES ('first_id', 9223372036854775807)`,
    ],
  ])("another program's file with %s is not touched but set aside", (_, sql) => {
    const where = folder();
    mkdirSync(where);
    const theirs = new Database(join(where, "events.db"), { create: true });
    for (const statement of sql.split(";")) theirs.run(statement);
    theirs.close();
    const before = readFileSync(join(where, "events.db"));
    const { one, told, openAt } = keeper();
    openAt(where);
    expect(told[0]).toMatchObject({
      told: "opened",
      setAside: { problem: "the file is not this program's event log (FOREIGN_FILE)" },
    });
    const kept = join(where, "events.db.corrupt-20260129T120000Z");
    // The last one's journal mode had to be looked at: it is ours by its tables.
    if (!sql.startsWith(OURS)) expect(readFileSync(kept).equals(before)).toBe(true);
    expect(existsSync(kept)).toBe(true);
    one.handle({
      do: "write",
      after: (told[0] as { state: StoreState }).state.position,
      rows: [],
      gap: null,
      cursors: [],
    });
    expect(told[1]).toMatchObject({ told: "written" });
    one.handle({ do: "close" });
  });

  test("one that cannot be set aside says both", () => {
    const { told, openAt } = keeper();
    const where = folder();
    open(where).close();
    writeFileSync(join(where, "events.db"), "nonsense ".repeat(1000));
    mkdirSync(join(where, "events.db.corrupt-20260129T120000Z", "in the way"), { recursive: true });
    openAt(where);
    expect(told[0]).toMatchObject({
      told: "failed",
      problem: "the file is damaged (SQLITE_NOTADB) and cannot be renamed: EISDIR",
    });
  });

  test("no id of a log that was set aside is given again, although the clock went back", () => {
    const where = folder();
    open(where).close();
    writeFileSync(join(where, "events.db"), "nonsense ".repeat(1000));
    const writtenAtMs = T0 + 3_600_000;
    utimesSync(join(where, "events.db"), writtenAtMs / 1000, writtenAtMs / 1000);
    const { one, told, openAt } = keeper();
    openAt(where);
    expect((told[0] as { firstId: number }).firstId).toBeGreaterThan(writtenAtMs * 1000);
    one.handle({ do: "close" });
  });

  test("without descriptors it does not open, and leaves no lock behind", () => {
    const keeperFile = JSON.stringify(join(import.meta.dir, "../../../src/events/log_keeper.ts"));
    const script = `
      const { LogKeeper } = await import(${keeperFile});
      const { openSync, closeSync } = require("node:fs");
      const outcomes = [];
      for (let left = 0; left < 8; left++) {
        const told = [];
        const keeper = new LogKeeper((message) => told.push(message), { nowMs: Date.now, steadyMs: () => 0, after: () => {} });
        const open = () => keeper.handle({
          do: "open",
          options: { folder: process.argv[1] + left, maxBytes: 1e9, maxAgeMs: 1e12 },
          request: { nowUs: 1e15, inMemory: null },
        });
        const held = [];
        try { for (;;) held.push(openSync("/dev/null", "r")); } catch {}
        for (let i = 0; i < left; i++) closeSync(held.pop());
        open();
        for (const descriptor of held) closeSync(descriptor);
        if (told[0].told === "failed") open();
        outcomes.push(told.map(({ told, problem }) => problem ?? told).join(", then "));
        keeper.handle({ do: "close" });
      }
      console.log(JSON.stringify(outcomes));`;
    const { stdout } = Bun.spawnSync([
      "sh",
      "-c",
      'ulimit -n 64; exec "$0" -e "$1" "$2"',
      process.execPath,
      script,
      folder(),
    ]);
    const outcomes = JSON.parse(stdout.toString()) as string[];
    expect(outcomes[0]).toBe("too many files are open (EMFILE), then opened");
    expect(outcomes.at(-1)).toBe("opened");
    for (const outcome of outcomes) expect(outcome).toEndWith("opened");
  });

  test("names that were URLs become hashes, and the file forgets them", () => {
    const where = folder();
    const url = "https://example.org/hook?key=hunter2";
    const store = open(where);
    store.write([row(T0_US)], null, [[url, T0_US]]);
    store.close();
    expect(readFileSync(join(where, "events.db"), "latin1")).toContain("hunter2");
    const again = open(where, T0_US + 10);
    expect(again.cursors()).toEqual([[cursorName(url), T0_US]]);
    again.abandon();
    for (const file of readdirSync(where)) {
      expect(readFileSync(join(where, file), "latin1")).not.toContain("hunter2");
    }
  });

  test("no folder, or one that is a file, is told in words and without a path", () => {
    const { told, openAt } = keeper();
    openAt(null);
    expect(told[0]).toMatchObject({
      problem: "there is no folder for it: set state_dir (NO_STATE_DIR)",
      closed: true,
    });
    const file = join(root, "file");
    writeFileSync(file, "");
    openAt(join(file, "below"));
    expect(told[1]).toMatchObject({ problem: "the folder is none (ENOTDIR)" });
  });

  test("nothing is written past a failure", () => {
    const where = folder();
    const { one, told, openAt } = keeper();
    openAt(where);
    one.handle({ do: "write", after: T0_US + 5, rows: [row(T0_US + 6)], gap: null, cursors: [] });
    expect(told).toHaveLength(1);
    one.handle({ do: "write", after: T0_US - 1, rows: [row(T0_US)], gap: null, cursors: [] });
    expect(told[1]).toMatchObject({ told: "written", state: { position: T0_US } });
    one.handle({ do: "close" });
  });

  test("what was written is forced to the card a second later, once for all of it", () => {
    const { one, told, timers, openAt } = keeper();
    openAt(folder());
    const before = timers.length;
    let syncs = 0;
    const store = one.store as LogStore;
    const { sync } = store;
    store.sync = () => {
      syncs++;
      sync.call(store);
    };
    for (let i = 0; i < 3; i++) {
      one.handle({ do: "write", after: T0_US - 1 + i, rows: [row(T0_US + i)], gap: null, cursors: [] });
    }
    const [due, ...others] = timers.slice(before);
    expect(others).toEqual([]);
    due?.();
    expect(syncs).toBe(1);
    expect(told.at(-1)).toMatchObject({ told: "written", state: { position: T0_US + 2 } });
    one.handle({ do: "close" });
  });

  test("another process's log is left alone", async () => {
    const where = folder();
    const holder = Bun.spawn(
      [
        process.execPath,
        "-e",
        `const { LogStore } = await import(${JSON.stringify(join(import.meta.dir, "../../../src/events/log_store.ts"))});
         new LogStore({ folder: ${JSON.stringify(where)}, maxBytes: 1e9, maxAgeMs: 1e12 }, { nowUs: 1e15, inMemory: null });
         console.log("open"); setInterval(() => {}, 1000);`,
      ],
      { stdout: "pipe" },
    );
    await holder.stdout.getReader().read();
    const { told, openAt } = keeper();
    openAt(where);
    expect(told[0]).toMatchObject({ problem: "another process keeps its log there (SQLITE_BUSY)" });
    holder.kill("SIGKILL");
    await holder.exited;
    openAt(where);
    expect(told[1]).toMatchObject({ told: "opened" });
  });
});
