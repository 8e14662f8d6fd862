/** The log's disk is full, frozen, read-only, gone or somebody else's to move: telephones and audit go on. */
import { afterAll, describe, expect, test } from "bun:test";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { get, post } from "../support/client";
import { type ConfiguredServer, startConfigured } from "../support/configured";
import { eventually } from "../support/server";
import { freezable, freezing, mountable, mounted } from "../support/small_disk";

const root = mkdtempSync(join(tmpdir(), "dahdi-log-disk-"));
afterAll(() => rmSync(root, { recursive: true }));
let folders = 0;
const place = (): string => join(root, String(++folders));

interface Line {
  level: string;
  component: string;
  message: string;
  request_id?: string;
  [field: string]: unknown;
}

/** Not of the write that is under way just now. */
const linesOf = (text: string): Line[] =>
  text
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Line);
const readLines = (path: string): Line[] => (existsSync(path) ? linesOf(readFileSync(path, "utf8")) : []);

const start = (path: string, more = ""): Promise<ConfiguredServer> =>
  startConfigured(`logging: { output: ${path}${more} }\n`, 1);

let acts = 0;
/** Something that stands in the audit log, by its request's id. */
async function act({ rest }: ConfiguredServer): Promise<string> {
  const id = `act-${++acts}`;
  const answer = await post(`${rest}/stop-ring`, undefined, { "x-request-id": id });
  expect(answer.status).toBe(200);
  return id;
}
const audited = (lines: Line[]): unknown[] =>
  lines.filter(({ component }) => component === "audit").map(({ request_id }) => request_id);

describe("the log's disk", () => {
  mountable("is full for a while: said once, kept, and written when there is room, each line once", async () => {
    using disk = mounted(place(), "size=300k");
    const path = join(disk.where, "server.log");
    writeFileSync(path, "");
    await using server = await start(path);
    const ids = [await act(server)];
    await eventually(
      () => audited(readLines(path)),
      (seen) => seen.length === 1,
    );
    disk.fill();
    for (let i = 0; i < 60; i++) ids.push(await act(server));
    await eventually(server.log, (log) => log.includes("the log cannot be written"));
    expect(linesOf(await server.log())).toEqual([expect.objectContaining({ level: "error", error: "ENOSPC" })]);
    disk.makeRoom();
    for (let i = 0; i < 5; i++) ids.push(await act(server));
    await eventually(
      () => readLines(path).at(-1),
      (last) => last?.message === "the log is written again",
    );
    expect(audited(readLines(path))).toEqual(ids);
    expect(readLines(path).at(-1)).toMatchObject({ lost_lines: 0, lost_audit_lines: 0 });
    expect(linesOf(await server.log())).toHaveLength(2);
  });

  freezing(
    "stands still: nobody waits for it, memory is bounded, and what was lost is counted",
    async () => {
      using disk = freezable(place());
      const path = join(disk.where, "server.log");
      await using server = await start(path, ", level: debug, max_size_mb: 0");
      const ids = [await act(server)];
      disk.freeze();
      ids.push(await act(server));
      const before = await server.residentMb();
      expect((await post(`${server.rest}/ring`, {})).status).toBe(200);
      expect((await post(`${server.rest}/stop-ring`)).status).toBe(200);
      // More than is kept: of each a line of 200 bytes or more.
      for (let i = 0; i < 150; i++) {
        const many = Array.from({ length: 50 }, () => get(`${server.rest}/events?limit=1&x=${"x".repeat(20)}`));
        for (const { status } of await Promise.all(many)) expect(status).toBe(422);
      }
      await eventually(server.log, (log) => log.includes("the log cannot be written"));
      ids.push(await act(server));
      expect((await server.residentMb()) - before).toBeLessThan(60);
      disk.thaw();
      await eventually(
        () => readLines(path).some(({ message }) => message === "the log is written again"),
        (so) => so,
      );
      const again = readLines(path).find(({ message }) => message === "the log is written again");
      expect(again?.lost_lines).toBeGreaterThan(100);
      // Who did what was kept beside the chatter.
      expect(again?.lost_audit_lines).toBe(0);
      expect(audited(readLines(path))).toEqual(expect.arrayContaining(ids));
    },
    60_000,
  );

  freezing("stands still when the server is told to stop: it lets go of all but that disk", async () => {
    using disk = freezable(place());
    const path = join(disk.where, "server.log");
    const server = await start(path);
    disk.freeze();
    const id = await act(server);
    const { promise: told, resolve } = Promise.withResolvers<number>();
    const socket = new WebSocket(server.websocket);
    socket.addEventListener("close", ({ code }) => resolve(code));
    await new Promise((opened) => socket.addEventListener("open", opened));
    const stopping = server.stop();
    expect(await told).toBe(1001);
    await eventually(
      () => get(`${server.rest}/health`).catch(() => "refused"),
      (answer) => answer === "refused",
    );
    // The kernel lets no thread go that waits for a frozen disk.
    disk.thaw();
    expect(await stopping).toBe(0);
    expect(audited(readLines(path)).filter((one) => one === id)).toHaveLength(1);
  });

  mountable(
    "is read-only from the start: the telephones work, and it is said; what was logged follows",
    async () => {
      using disk = mounted(place(), "size=300k");
      const path = join(disk.where, "server.log");
      disk.remount("ro");
      await using server = await start(path);
      const id = await act(server);
      await eventually(server.log, (log) => log.includes("EROFS"));
      disk.remount("rw");
      await eventually(
        () => audited(readLines(path)),
        (seen) => seen.includes(id),
      );
      expect(readLines(path).some(({ message }) => message === "serving")).toBe(true);
    },
  );

  test("is not taken for one where its place is wrong: a start says so", async () => {
    const pipe = place();
    Bun.spawnSync(["mkfifo", pipe]);
    await expect(start(pipe)).rejects.toThrow(/logging.output.*is no file/);
    await expect(start(join(root, "nowhere", "server.log"))).rejects.toThrow(/ENOENT/);
  });
});

describe("the log's file", () => {
  async function inAFolder<T>(play: (path: string, server: ConfiguredServer) => Promise<T>): Promise<T> {
    const path = join(place(), "server.log");
    mkdirSync(dirname(path));
    await using server = await start(path, ", max_size_mb: 0");
    await act(server);
    await eventually(
      () => audited(readLines(path)),
      (seen) => seen.length === 1,
    );
    return await play(path, server);
  }

  /** The file of that name is written again, by what is done now. */
  async function written(path: string, server: ConfiguredServer): Promise<string[]> {
    const ids: string[] = [];
    await eventually(
      async () => {
        ids.push(await act(server));
        return audited(readLines(path)).length;
      },
      (seen) => seen > 0,
    );
    await eventually(
      () => audited(readLines(path)),
      (seen) => seen.includes(ids.at(-1)),
    );
    return ids;
  }

  test("is moved away by logrotate, which says nothing (create, without a script)", async () => {
    await inAFolder(async (path, server) => {
      renameSync(path, `${path}.1`);
      writeFileSync(path, "");
      const ids = await written(path, server);
      expect([...audited(readLines(`${path}.1`)).slice(1), ...audited(readLines(path))]).toEqual(ids);
    });
  });

  test("is moved away by logrotate, which sends SIGHUP: it is let go at once, without a line to write", async () => {
    await inAFolder(async (path, server) => {
      renameSync(path, `${path}.1`);
      process.kill(server.pid, "SIGHUP");
      await eventually(
        () => existsSync(path),
        (there) => there,
      );
      const id = await act(server);
      await eventually(
        () => audited(readLines(path)),
        (seen) => seen.includes(id),
      );
      const held = Bun.spawnSync(["sh", "-c", `ls -l /proc/${server.pid}/fd`]).stdout.toString();
      expect(held).not.toContain("server.log.1");
    });
  });

  test("is copied and cut (copytruncate): no gap of zeros, no half line", async () => {
    await inAFolder(async (path, server) => {
      copyFileSync(path, `${path}.1`);
      truncateSync(path);
      await written(path, server);
      expect(readFileSync(path).includes(0)).toBe(false);
      for (const line of readLines(path)) expect(line.message).toBeString();
    });
  });

  test("is removed, with its folder: both are made again", async () => {
    await inAFolder(async (path, server) => {
      rmSync(dirname(path), { recursive: true });
      const ids = await written(path, server);
      expect(audited(readLines(path))).toContain(ids.at(-1));
    });
  });

  test("is replaced by what is none: said once, kept, and written when it is gone", async () => {
    await inAFolder(async (path, server) => {
      rmSync(path);
      mkdirSync(path);
      const ids: string[] = [];
      await eventually(
        async () => {
          ids.push(await act(server));
          return await server.log();
        },
        (log) => log.includes("the log cannot be written"),
      );
      for (let i = 0; i < 20; i++) ids.push(await act(server));
      rmSync(path, { recursive: true });
      Bun.spawnSync(["mkfifo", path]);
      for (let i = 0; i < 20; i++) ids.push(await act(server));
      expect((await get(`${server.rest}/health`)).status).toBe(200);
      rmSync(path);
      await eventually(
        () => audited(readLines(path)),
        (seen) => seen.includes(ids.at(-1)),
      );
      // What was written before it was noticed went with the file.
      const seen = audited(readLines(path));
      expect(seen).toEqual(ids.slice(-seen.length));
      expect(seen.length).toBeGreaterThan(40);
      expect(linesOf(await server.log()).map(({ message }) => message)).toEqual([
        expect.stringContaining("cannot be written"),
        "the log is written again",
      ]);
    });
  });

  test("has who did what, whatever the level of the rest", async () => {
    const path = join(place(), "server.log");
    mkdirSync(dirname(path));
    await using server = await start(path, ", level: error");
    const id = await act(server);
    await eventually(
      () => audited(readLines(path)),
      (seen) => seen.includes(id),
    );
    expect(readLines(path).every(({ component }) => component === "audit")).toBe(true);
  });

  test("has all that was said when the server was told to stop", async () => {
    const path = join(place(), "server.log");
    mkdirSync(dirname(path));
    const server = await start(path);
    const ids = await Promise.all(Array.from({ length: 200 }, () => act(server)));
    await server.stop();
    expect(audited(readLines(path)).sort()).toEqual(ids.sort());
    expect(readLines(path).at(-1)).toMatchObject({ message: "stopping" });
  });
});
