import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Audiences } from "../../../src/events/audiences";
import { isGap, type LogPage } from "../../../src/events/event_log";
import { ALL, flash, lift, sink, T0, Z } from "./sink";
import { settled, steppedJournal } from "./stepped_disk";

const root = mkdtempSync(join(tmpdir(), "dahdi-journal-"));
afterAll(() => rmSync(root, { recursive: true }));
let folders = 0;
const folder = (): string => join(root, String(++folders));

const brief = ({ entries }: LogPage) =>
  entries.map((entry) => (isGap(entry) ? `gap ${entry.from - FIRST}-${entry.to - FIRST}` : entry.id - FIRST));
const FIRST = T0 * 1000;

describe("the journal", () => {
  test("writes in batches, reaches back past memory, and over a restart", async () => {
    const where = folder();
    const one = steppedJournal(where, 100);
    await settled();
    for (let i = 0; i < 40; i++) lift(one.bus);
    await one.clock.pass(99);
    expect(one.disk.writes).toBe(0);
    await one.clock.pass(1);
    expect(one.disk.writes).toBe(1);
    for (let i = 40; i < 250; i++) lift(one.bus);
    await one.clock.pass(100);
    expect(one.disk.writes).toBeLessThan(10);
    expect(one.journal.status()).toMatchObject({ storage: "disk", waiting_events: 0 });
    const page = await one.log.page(FIRST - 1, 1000, ALL);
    expect(brief(page)).toEqual(Array.from({ length: 250 }, (_, i) => i));
    expect(page.complete).toBe(true);
    flash(one.bus);
    await one.journal.close();

    const two = steppedJournal(where, 100, false, 60_000);
    await settled();
    lift(two.bus);
    const after = await two.log.page(FIRST + 248, 10, ALL);
    expect(after.complete).toBe(true);
    expect(after.entries.map((entry) => ("body" in entry ? entry.body.type : "gap"))).toEqual([
      "off_hook",
      "flash",
      "off_hook",
    ]);
    await two.journal.close();
  });

  test("stores an event as it was told", async () => {
    const where = folder();
    const one = steppedJournal(where, 100);
    await settled();
    const told = one.bus.publish(2, T0 + 0.75, 5, {
      type: "voice",
      active: true,
      startMs: T0 - 99.123,
      endMs: null,
      energyLevel: -20.0499999,
      segmentLevel: -21,
    });
    for (let i = 0; i < 100; i++) flash(one.bus);
    const [stored] = (await one.log.page(FIRST - 1, 1, ALL)).entries;
    expect(stored && "body" in stored && stored.text(Z)).toBe(told.text(Z));
    await one.journal.close();
  });

  test("a card that stalls delays nobody, and what is read waits for what is written", async () => {
    const one = steppedJournal(folder(), 100);
    await settled();
    one.disk.stalls = true;
    const client = sink();
    new Audiences(one.log).subscribe(client, { filter: ALL, format: Z, since: null });
    for (let i = 0; i < 300; i++) lift(one.bus);
    await Promise.resolve(); // told once for all, but before the log has no room for them
    expect(client.frames).toHaveLength(300);
    const page = one.log.page(FIRST - 1, 1000, ALL);
    await settled();
    await one.flow();
    expect(brief(await page)).toHaveLength(300);
    await one.journal.close();
  });

  test("a full disk: memory serves, it is said once, and once it is over the rest is written", async () => {
    const one = steppedJournal(folder(), 100);
    await settled();
    lift(one.bus);
    await one.clock.pass(100);
    one.disk.fails = "SQLITE_FULL";
    for (let i = 0; i < 50; i++) lift(one.bus);
    await one.clock.pass(10_000);
    expect(one.said).toEqual([
      "the event log is in memory only: events do not outlive this process: the disk is full (SQLITE_FULL)",
    ]);
    expect(one.journal.status()).toMatchObject({
      storage: "memory",
      problem: "the disk is full (SQLITE_FULL)",
      waiting_events: 50,
    });
    expect(brief(await one.log.page(FIRST - 1, 1000, ALL))).toHaveLength(51);
    one.disk.fails = null;
    await one.clock.pass(60_000);
    expect(one.said).toHaveLength(2);
    expect(one.journal.status()).toMatchObject({ storage: "disk", problem: null, waiting_events: 0 });
    for (let i = 0; i < 200; i++) flash(one.bus);
    const page = await one.log.page(FIRST - 1, 1000, ALL);
    expect(page.complete).toBe(true);
    expect(brief(page)).toHaveLength(251);
    await one.journal.close();
  });

  test("what memory lost while the disk was full is a gap, then and later", async () => {
    const where = folder();
    const one = steppedJournal(where, 100);
    await settled();
    lift(one.bus);
    await one.clock.pass(100);
    one.disk.fails = "SQLITE_FULL";
    lift(one.bus);
    await one.clock.pass(200);
    for (let i = 0; i < 200; i++) lift(one.bus);
    const during = await one.log.page(FIRST - 1, 1000, ALL);
    expect(brief(during).slice(0, 3)).toEqual([0, "gap 1-101", 102]);
    expect(during.complete).toBe(false);
    one.disk.fails = null;
    await one.clock.pass(60_000);
    await one.journal.close();
    const two = steppedJournal(where, 100, false, 120_000);
    await settled();
    expect(brief(await two.log.page(FIRST - 1, 1000, ALL)).slice(0, 3)).toEqual([0, "gap 1-101", 102]);
    expect(brief(await two.log.page(FIRST + 101, 1000, ALL))[0]).toBe(102);
    await two.journal.close();
  });

  test("without any disk it begins all the same, and takes the disk when it comes", async () => {
    const where = folder();
    writeFileSync(where, "a file where the folder should be");
    const one = steppedJournal(where, 100);
    await settled();
    expect(one.bus.hasBegun).toBe(true);
    for (let i = 0; i < 10; i++) lift(one.bus);
    expect(brief(await one.log.page(null, 100, ALL))).toHaveLength(10);
    expect(one.journal.status().storage).toBe("memory");
    rmSync(where);
    await one.clock.pass(5000);
    expect(one.journal.status()).toMatchObject({ storage: "disk", waiting_events: 0 });
    expect(one.bus.lastId).toBe(FIRST + 9);
    await one.journal.close();
  });

  test("a disk that never answers does not hold up the start", async () => {
    const other = steppedJournal(folder(), 100, true);
    await settled();
    expect(other.bus.hasBegun).toBe(false);
    await other.clock.pass(3000);
    expect(other.bus.hasBegun).toBe(true);
    expect(other.said[0]).toEndWith("the disk does not answer");
    const closed = other.journal.close();
    await other.clock.pass(1000);
    await closed;
  });

  test.each([
    ["close", 0],
    ["close", 3],
    ["crash", 3],
  ])(
    "a disk that answers 10 s after the start loses nothing, and no gap is told (%s, %d events before)",
    async (end, before) => {
      const where = folder();
      const one = steppedJournal(where, 100);
      await settled();
      for (let i = 0; i < before; i++) lift(one.bus);
      await one.clock.pass(2000);
      await one.journal.close();

      const two = steppedJournal(where, 100, true, 60_000);
      await two.clock.pass(4000);
      for (let i = 0; i < 5; i++) lift(two.bus);
      await two.clock.pass(6000);
      expect(two.journal.status()).toMatchObject({ storage: "memory", waiting_events: 5 });
      const { firstId } = two.bus;
      await two.flow();
      await two.clock.pass(2000);
      expect(two.journal.status()).toMatchObject({ storage: "disk", waiting_events: 0, problem: null });
      expect(two.bus.firstId).toBe(firstId);
      expect(two.said).toHaveLength(2);
      expect(two.disk.opens).toBe(2); // not once more for every second that it did not answer
      const wanted = [
        ...Array.from({ length: before }, (_, i) => i),
        ...Array.from({ length: 5 }, (_, i) => firstId - FIRST + i),
      ];
      const all = async ({ log }: typeof two) => {
        const page = await log.page(FIRST - 1, 1000, ALL);
        return { ids: brief(page), complete: page.complete };
      };
      expect(await all(two)).toEqual({ ids: wanted, complete: true });
      // Somebody who connected before the first of them, and somebody who never can have been there.
      expect([firstId - 1, firstId - 5].map((id) => two.log.reaches(id))).toEqual([true, false]);

      // Its thread dies: the next one knows that the same process goes on.
      two.disk.kill("out of memory");
      lift(two.bus);
      wanted.push(firstId - FIRST + 5);
      await two.clock.pass(5000);
      for (let i = 6; i < 206; i++) {
        flash(two.bus);
        wanted.push(firstId - FIRST + i);
      }
      await two.clock.pass(1000);
      expect(await all(two)).toEqual({ ids: wanted, complete: true });
      if (end === "crash") two.disk.kill("power");
      else await two.journal.close();

      const three = steppedJournal(where, 100, false, 600_000);
      await settled();
      const [crashed] = end === "crash" ? [`gap ${firstId - FIRST + 206}-${three.bus.firstId - FIRST - 1}`] : [];
      expect(brief(await three.log.page(FIRST - 1, 1000, ALL))).toEqual([
        ...wanted,
        ...(crashed ? [crashed] : []),
      ]);
      await three.journal.close();
    },
  );

  test("a disk that answers late, when memory has let go of some: those are a gap, and no others", async () => {
    const one = steppedJournal(folder(), 100, true);
    await one.clock.pass(4000);
    for (let i = 0; i < 150; i++) lift(one.bus);
    const { firstId } = one.bus;
    await one.flow();
    await one.clock.pass(2000);
    const page = brief(await one.log.page(firstId - 1, 1000, ALL));
    expect(page).toHaveLength(101);
    expect(page[0]).toBe(`gap ${firstId - FIRST}-${firstId - FIRST + 49}`);
    await one.journal.close();
  });

  test("a disk that answers late, and then is full: it is asked again, and nothing is lost", async () => {
    const one = steppedJournal(folder(), 100, true);
    await one.clock.pass(4000);
    lift(one.bus);
    one.disk.fails = "SQLITE_FULL";
    await one.flow();
    await one.clock.pass(10_000);
    expect(one.journal.status().problem).toContain("SQLITE_FULL");
    one.disk.fails = null;
    await one.clock.pass(60_000);
    expect(one.journal.status()).toMatchObject({ storage: "disk", waiting_events: 0 });
    expect((await one.log.page(one.bus.firstId - 1, 10, ALL)).complete).toBe(true);
    await one.journal.close();
  });

  test("a thread that dies is replaced, and nothing is lost", async () => {
    const one = steppedJournal(folder(), 100);
    await settled();
    for (let i = 0; i < 10; i++) lift(one.bus);
    await one.clock.pass(100);
    one.disk.kill("out of memory");
    for (let i = 0; i < 10; i++) lift(one.bus);
    expect(one.journal.status().storage).toBe("memory");
    await one.clock.pass(5000);
    expect(one.journal.status()).toMatchObject({ storage: "disk", waiting_events: 0 });
    for (let i = 0; i < 200; i++) flash(one.bus);
    const page = await one.log.page(FIRST - 1, 1000, ALL);
    expect(page.complete).toBe(true);
    expect(page.entries).toHaveLength(220);
    await one.journal.close();
  });

  test("an id of a process whose log was lost asks for a resync", async () => {
    const where = folder();
    const one = steppedJournal(where, 100);
    await settled();
    lift(one.bus);
    await one.journal.close();
    const two = steppedJournal(where, 100, false, 60_000);
    await settled();
    expect(two.log.reaches(FIRST)).toBe(true);
    expect(two.log.reaches(FIRST + 5)).toBe(false); // never given by a process that we know
    expect(two.log.reaches(two.bus.firstId - 1)).toBe(true);
    expect(two.log.reaches(FIRST - 2)).toBe(false);
    await two.journal.close();
  });

  test("a client far behind is served from disk, piece by piece, then live", async () => {
    const one = steppedJournal(folder(), 100);
    await settled();
    for (let i = 0; i < 1000; i++) lift(one.bus, (i % 2) + 1);
    await one.clock.pass(100);
    const client = sink();
    client.state.congested = true;
    const subscription = new Audiences(one.log).subscribe(client, {
      filter: { types: null, lines: [2] },
      format: Z,
      since: FIRST + 99,
    });
    for (let i = 0; i < 60; i++) {
      client.state.congested = i % 3 !== 0;
      subscription.resume();
      flash(one.bus, 2);
      await settled();
    }
    client.state.congested = false;
    subscription.resume();
    await settled();
    const frames = client.frames.filter(({ type }) => type !== "caught_up");
    expect(client.frames).toHaveLength(frames.length + 1);
    expect(frames).toHaveLength(450 + 60);
    const ids = frames.map(({ id }) => Number(id));
    expect(ids).toEqual([...new Set(ids)].sort((a, b) => a - b));
    subscription.close();
    await one.journal.close();
  });
});
