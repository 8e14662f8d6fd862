/** The event log on disk, of servers of our own: restarts, kill -9, disks that fail. */
import { Database } from "bun:sqlite";
import { afterAll, describe, expect } from "bun:test";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Figures } from "../../bench/figures";
import { kills } from "../../bench/soak/kills";
import { rig } from "../support/backend";
import { EventListener, get, type Json, post, simulatedTelephone } from "../support/client";
import { EventStreamClient } from "../support/event_stream";
import { needs } from "../support/needs";
import { eventually, type RunningServer, startServer } from "../support/server";
import { mountable, mounted } from "../support/small_disk";

const root = mkdtempSync(join(tmpdir(), "dahdi-event-log-"));
afterAll(() => rmSync(root, { recursive: true }));
let folders = 0;
const folder = (): string => join(root, String(++folders));

/** A guest's disk is not ours to break. */
const local = needs(rig === null, "the rig's guest keeps its own disk");
const start = (stateDir: string, ...more: string[]) =>
  startServer({ stateDir, arguments: ["--simulate=1", ...more], environment: {} });

interface LogState {
  storage: string;
  problem: string | null;
  waiting_events: number;
  newest_id: string;
  set_aside: { renamed_to: string; problem: string } | null;
}
const logState = async ({ rest }: RunningServer): Promise<LogState> =>
  (await get(`${rest}/ready`)).body.event_log as LogState;
const onDisk = (server: RunningServer) =>
  eventually(
    () => logState(server),
    ({ storage, waiting_events }) => storage === "disk" && waiting_events === 0,
  );

async function allEvents(server: RunningServer, since = "0"): Promise<{ events: Json[]; resync: boolean }> {
  const events: Json[] = [];
  let resync = false;
  for (let next = since; ; ) {
    const { body } = await get(`${server.rest}/events?since=${next}&limit=1000`);
    const page = body as { events: Json[]; next: string; resync_required: boolean };
    events.push(...page.events);
    resync ||= page.resync_required;
    if (page.next === next || page.events.length === 0) return { events, resync };
    next = page.next;
  }
}

describe("a restart", () => {
  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    local(`by ${signal} remembers the messages that wait`, async () => {
      const where = folder();
      const first = await start(where);
      expect((await post(`${first.rest}/message-waiting`, { waiting: true, count: 3 })).status).toBe(200);
      await first.stop(signal);
      const second = await start(where);
      await eventually(
        async () => (await get(`${second.rest}/status`)).body.message_waiting,
        (waiting) => waiting === true,
      );
      expect((await post(`${second.rest}/message-waiting`, { waiting: false })).status).toBe(200);
      await second.stop(signal);
      await using third = await start(where);
      expect((await get(`${third.rest}/ready`)).status).toBe(200);
      expect((await get(`${third.rest}/status`)).body.message_waiting).toBe(false);
    });
  }

  local("is bridged by WebSocket, page and stream alike", async () => {
    const where = folder();
    const first = await start(where);
    const listener = await EventListener.open(first.websocket);
    const phone = simulatedTelephone(first);
    await phone.lift();
    await phone.press("12");
    const lifted = await listener.event("off_hook");
    await listener.event("dtmf", { digit: "2" });
    const before = listener.frames.filter(({ id }) => Number(id) > Number(lifted.id));
    expect(await first.stop()).toBe(0);
    const late = listener.frames.filter(({ id }) => Number(id) > Number(lifted.id)).slice(before.length);

    await using second = await start(where);
    const expected = [...before, ...late];
    using replayed = await EventListener.open(`${second.websocket}?since=${lifted.id}`);
    await replayed.event("caught_up");
    expect(replayed.frames.slice(0, expected.length)).toEqual(expected);
    expect(replayed.types()).not.toContain("gap");
    expect(replayed.types()).not.toContain("resync_required");
    const page = await allEvents(second, String(lifted.id));
    expect(page.events.slice(0, expected.length)).toEqual(expected);
    expect(page.resync).toBe(false);
    await using stream = await EventStreamClient.open(`${second.rest}/events/stream`, String(lifted.id));
    await eventually(
      () => stream.types(),
      (types) => types.includes("caught_up"),
    );
    expect(stream.events.slice(0, expected.length).map(({ data }) => data)).toEqual(expected);
  });

  local(
    "by kill -9, at 20 random moments: what was written stays, in order, and doubt is told",
    async () => {
      const figures = new Figures();
      await kills({ rounds: 20, figures, seed: 20_260_129 });
      expect(figures.missed).toEqual([]);
    },
    180_000,
  );

  const spoiled: Record<string, [problem: string, spoil: (file: string) => void]> = {
    damaged: ["is damaged", (file) => writeFileSync(file, "this was a log once ".repeat(500))],
    "another program's": [
      "is not this program's event log",
      (file) => {
        rmSync(file);
        const database = new Database(file, { create: true });
        database.run("CREATE TABLE events (id TEXT)");
        database.run("PRAGMA user_version = 1");
        database.close();
      },
    ],
  };
  for (const [kind, [problem, spoil]] of Object.entries(spoiled)) {
    local(`finds a file that is ${kind}: set aside, said, and old ids ask for a resync`, async () => {
      const where = folder();
      const first = await start(where);
      const { events } = await allEvents(first);
      await first.stop();
      spoil(join(where, "events.db"));
      await using second = await start(where);
      const { set_aside, ...state } = await onDisk(second);
      expect(state).toMatchObject({ storage: "disk", problem: null });
      const aside = readdirSync(where).filter((name) => /^events\.db\.corrupt-\d{8}T\d{6}Z$/.test(name));
      expect(aside).toEqual([set_aside?.renamed_to ?? ""]);
      expect(set_aside?.problem).toContain(problem);
      await eventually(
        second.log,
        (log) => log.includes("cannot be read: it was set aside") && log.includes(problem),
      );
      using old = await EventListener.open(`${second.websocket}?since=${events[0]?.id}`);
      await old.event("resync_required");
      expect((await allEvents(second, String(events[0]?.id))).resync).toBe(true);
    });
  }

  local("two servers with one folder: the second keeps to memory and says so", async () => {
    const where = folder();
    await using first = await start(where);
    await onDisk(first);
    await using second = await start(where);
    expect((await logState(second)).problem).toContain("another process");
    expect((await get(`${second.rest}/ready`)).status).toBe(200);
    expect((await allEvents(second)).events.length).toBeGreaterThan(0);
  });
});

describe("a disk", () => {
  mountable("that is read-only: it serves from memory, says so, and keeps to it", async () => {
    using disk = mounted(folder(), "ro,size=1m");
    await using server = await start(disk.where);
    const { status, body } = await get(`${server.rest}/ready`);
    expect(status).toBe(200);
    expect(body.event_log).toMatchObject({ storage: "memory" });
    expect((body.event_log as LogState).problem).toContain("read-only");
    const { events } = await allEvents(server);
    expect(events.length).toBeGreaterThan(0);
    using listener = await EventListener.open(`${server.websocket}?since=${events[0]?.id}`);
    await listener.event("caught_up");
    expect(((await get(`${server.rest}/diagnostics`)).body.event_log as LogState).storage).toBe("memory");
    await eventually(server.log, (log) => log.includes("in memory only"));
  });

  mountable(
    "that fills up: memory serves, it is said once; with room again everything is written",
    async () => {
      using disk = mounted(folder(), "size=512k");
      const server = await start(disk.where);
      await onDisk(server);
      disk.fill();
      const phone = simulatedTelephone(server);
      await phone.lift();
      let pressed = 0;
      while ((await logState(server)).storage === "disk" && pressed++ < 50) {
        await phone.press("0123456789", { on_ms: 45, off_ms: 45 });
      }
      expect((await logState(server)).problem).toContain("the disk is full");
      await phone.hangUp();
      const during = await allEvents(server);
      expect(during.resync).toBe(false);
      disk.makeRoom();
      await onDisk(server);
      const log = await eventually(server.log, (text) => text.includes("on disk again"));
      expect(log.split("in memory only")).toHaveLength(2);
      expect(log.split("on disk again")).toHaveLength(2);
      await server.stop();
      await using second = await start(disk.where);
      const { events, resync } = await allEvents(second);
      expect(resync).toBe(false);
      expect(events.slice(0, during.events.length)).toEqual(during.events);
    },
    60_000,
  );
});
