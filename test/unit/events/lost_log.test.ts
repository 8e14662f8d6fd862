/** A log that is gone, or comes late: what clients and webhooks are told then. */
import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Audiences } from "../../../src/events/audiences";
import type { EventLog } from "../../../src/events/event_log";
import type { Journal } from "../../../src/events/journal";
import { Webhook } from "../../../src/events/webhooks/webhook";
import { ALL, flash, lift, sink, T0, Z } from "./sink";
import { settled, steppedJournal } from "./stepped_disk";

const root = mkdtempSync(join(tmpdir(), "dahdi-lost-log-"));
afterAll(() => rmSync(root, { recursive: true }));
let folders = 0;
const folder = (): string => join(root, String(++folders));
const FIRST = T0 * 1000;
const URL_WITH_SECRET = "https://example.org/hook?key=hunter2";

/** One that takes everything while it is told to; ids as they come. */
function webhook({ log: events, journal, clock }: { log: EventLog; journal: Journal; clock: Clock }) {
  const taken: (string | undefined)[] = [];
  const endpoint = { status: 204 };
  const settings = { url: URL_WITH_SECRET, key: new Uint8Array(24), filter: ALL, allowPrivate: false };
  const hook = new Webhook(
    1,
    { ...settings, parkAfterMs: 3_600_000 },
    {
      events,
      cursors: journal.cursors,
      post: async ({ headers }) => {
        if (endpoint.status === 204) taken.push(headers["webhook-id"]);
        return { status: endpoint.status, retryAfterS: null };
      },
      nowMs: () => clock.ms,
      monotonicMs: () => clock.ms,
      after: clock.after,
      random: () => 0.5,
      userAgent: "test",
      log: { info: () => undefined, warning: () => undefined },
    },
  );
  return { hook, taken, endpoint };
}
type Clock = ReturnType<typeof steppedJournal>["clock"];

describe("a log that cannot be read is set aside", () => {
  test.each([
    ["damaged", () => Buffer.from("nonsense ".repeat(1000))],
    [
      "of another program",
      (mine: Buffer) => Buffer.from(mine.toString("latin1").replace("at_ms", "xx_ms"), "latin1"),
    ],
  ])("%s: clients are asked to look again, webhooks are told a gap, and it is said", async (_, spoiled) => {
    const where = folder();
    const one = steppedJournal(where);
    await settled();
    const before = webhook(one);
    await settled();
    lift(one.bus);
    await one.clock.pass(2000);
    before.endpoint.status = 500;
    lift(one.bus);
    await one.clock.pass(100);
    expect(before.taken).toEqual([`event_${FIRST}`]);
    before.hook.stop();
    await one.journal.close();
    const file = join(where, "events.db");
    writeFileSync(file, spoiled(readFileSync(file)));

    const two = steppedJournal(where, 100, false, 60_000);
    await settled();
    const problem = two.journal.status().set_aside?.problem ?? "";
    expect(problem).toMatch(/^the file is (damaged|not this program's event log) \(/);
    expect(two.said).toEqual([expect.stringContaining("was set aside, and a fresh one begun")]);
    const client = sink();
    new Audiences(two.log).subscribe(client, { filter: ALL, format: Z, since: FIRST });
    expect(client.frames).toEqual([{ type: "resync_required" }]);
    expect((await two.log.page(FIRST, 10, ALL)).complete).toBe(false);
    const after = webhook(two);
    lift(two.bus);
    await two.clock.pass(2000);
    const first = two.bus.firstId;
    expect(after.taken).toEqual([`gap_1_${first - 1}`, `event_${first}`]);
    after.hook.stop();
    await two.journal.close();

    // Told once: the next start goes on.
    const three = steppedJournal(where, 100, false, 120_000);
    await settled();
    expect(three.journal.status().set_aside).toBeNull();
    const again = webhook(three);
    lift(three.bus);
    await settled();
    expect(again.taken).toEqual([`event_${three.bus.firstId}`]);
    again.hook.stop();
    await three.journal.close();
  });

  test("a gap that nobody took is still owed after the next start", async () => {
    const where = folder();
    const one = steppedJournal(where);
    await one.clock.pass(1000);
    await one.journal.close();
    writeFileSync(join(where, "events.db"), "nonsense ".repeat(1000));
    const two = steppedJournal(where, 100, false, 60_000);
    await settled();
    const down = webhook(two);
    down.endpoint.status = 500;
    lift(two.bus);
    await two.clock.pass(2000);
    down.hook.stop();
    await two.journal.close();
    const three = steppedJournal(where, 100, false, 120_000);
    await settled();
    const { hook, taken } = webhook(three);
    await settled();
    expect(taken).toEqual([`gap_1_${two.bus.firstId - 1}`, `event_${two.bus.firstId}`]);
    hook.stop();
    await three.journal.close();
  });
});

test("a disk that comes late: a webhook goes back to where it was, and nothing is left out", async () => {
  const where = folder();
  const one = steppedJournal(where);
  await settled();
  const before = webhook(one);
  await settled();
  before.endpoint.status = 500;
  for (let i = 0; i < 3; i++) lift(one.bus);
  await one.clock.pass(2000);
  before.hook.stop();
  await one.journal.close();

  const two = steppedJournal(where, 100, true, 60_000);
  await two.clock.pass(3000);
  const after = webhook(two);
  await settled();
  flash(two.bus);
  await two.clock.pass(100);
  const first = two.bus.firstId;
  expect(after.taken).toEqual([`event_${first}`]);
  await two.flow();
  await two.clock.pass(5000);
  const missed = [FIRST, FIRST + 1, FIRST + 2].map((id) => `event_${id}`);
  // It may come twice, never not at all.
  const events = after.taken.filter((id) => id?.startsWith("event_"));
  expect(events).toEqual([`event_${first}`, ...missed, `event_${first}`]);
  await two.clock.pass(2000);
  after.hook.stop();
  await two.journal.close();
});

test("a webhook's URL, which may hold a secret, is in no file", async () => {
  const where = folder();
  const one = steppedJournal(where);
  await settled();
  const { hook } = webhook(one);
  lift(one.bus);
  await one.clock.pass(2000);
  for (const part of ["", "-wal"]) {
    const file = join(where, `events.db${part}`);
    if (existsSync(file)) expect(readFileSync(file, "latin1")).not.toMatch(/hunter2|example\.org/);
  }
  hook.stop();
  await one.journal.close();
});

describe("the newest events", () => {
  const brief = async (log: EventLog, limit: number, filter = ALL) => {
    const page = await log.newest(limit, filter);
    return page.entries.map((entry) =>
      "id" in entry ? entry.id - FIRST : `gap ${entry.from - FIRST}-${entry.to - FIRST}`,
    );
  };

  test("are in memory, on disk, or both", async () => {
    const one = steppedJournal(folder(), 100);
    await settled();
    for (let i = 0; i < 300; i++) lift(one.bus, (i % 2) + 1);
    await one.clock.pass(100);
    expect(await brief(one.log, 3)).toEqual([297, 298, 299]);
    expect(await brief(one.log, 200)).toEqual(Array.from({ length: 200 }, (_, i) => 100 + i));
    expect(await brief(one.log, 1000)).toHaveLength(300);
    expect(await brief(one.log, 60, { types: null, lines: [1] })).toEqual(
      Array.from({ length: 60 }, (_, i) => 180 + 2 * i),
    );
    expect((await one.log.newest(5, ALL)).next).toBe(one.bus.lastId);
    await one.journal.close();
  });

  test("after a crash say what may be missing between them", async () => {
    const where = folder();
    const one = steppedJournal(where);
    await settled();
    for (let i = 0; i < 5; i++) lift(one.bus);
    await one.clock.pass(100);
    one.disk.kill("power");
    const two = steppedJournal(where, 100, false, 60_000);
    await settled();
    lift(two.bus);
    const first = two.bus.firstId - FIRST;
    expect(await brief(two.log, 3)).toEqual([3, 4, `gap 5-${first - 1}`, first]);
    expect(await two.log.newest(3, ALL)).toMatchObject({ complete: false });
    expect(await two.log.newest(1, ALL)).toMatchObject({ complete: true });
    await two.journal.close();
  });

  test("of a disk that does not answer are those in memory", async () => {
    const one = steppedJournal(folder(), 100, true);
    await one.clock.pass(3000);
    for (let i = 0; i < 150; i++) lift(one.bus);
    expect(await brief(one.log, 1000)).toHaveLength(100);
    const closed = one.journal.close();
    await one.clock.pass(1000);
    await closed;
  });

  test("an event that the disk has spoilt is a gap, and hides no other", async () => {
    const where = folder();
    const one = steppedJournal(where);
    await settled();
    for (let i = 0; i < 3; i++) flash(one.bus);
    await one.journal.close();
    const file = join(where, "events.db");
    const bytes = readFileSync(file);
    const at = bytes.lastIndexOf('"duration"');
    bytes[at] = 0x25;
    writeFileSync(file, bytes);
    const two = steppedJournal(where, 100, false, 60_000);
    await settled();
    const all = await brief(two.log, 10);
    expect(all.filter((entry) => typeof entry === "number")).toHaveLength(2);
    expect(all.filter((entry) => /^gap (\d)-\1$/.test(String(entry)))).toHaveLength(1);
    expect((await two.log.page(FIRST - 1, 10, ALL)).complete).toBe(false);
    await two.journal.close();
  });
});
