/** Recording, from outside: a process, its files, its telephones. */
import { beforeAll, describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { card, rig } from "../support/backend";
import { EventListener, get, type Json, post, request } from "../support/client";
import { bestLag } from "../support/correlation";
import { needs } from "../support/needs";
import { samplesIn, soundOf } from "../support/recordings";
import { eventually, startServer } from "../support/server";
import { refused, sharedTelephones } from "../support/shared_telephones";
import { noise } from "../support/stepped";

const phones = sharedTelephones(12);
const { freshLine } = phones;
const started = async (url: string, wishes: Json = {}): Promise<string> => {
  const { status, body } = await post(`${url}/record`, wishes);
  expect({ status, body }).toMatchObject({ status: 200, body: { status: "success" } });
  return String(body.recording_id);
};
const audio = async (id: string, headers: Record<string, string> = {}, of = phones.server): Promise<Response> =>
  fetch(`${of.rest}/recordings/${id}/audio`, { headers });
const sound = async (id: string, of = phones.server) =>
  soundOf(new Uint8Array(await (await audio(id, {}, of)).arrayBuffer()));
const eventsOf = (line: number): Promise<EventListener> =>
  EventListener.open(`${phones.server.websocket}?line=${line}`);

describe("POST /record", () => {
  test("keeps what the telephone says; stop answers when the file is there", async () => {
    const { line, url, phone } = freshLine();
    using events = await eventsOf(line);
    await phone.lift();
    const id = await started(url);
    const said = noise(8000, 31);
    await phone.speak(said as Int16Array<ArrayBuffer>);
    refused(await post(`${url}/record`, {}), 409, "recording_active");
    refused(
      await request(`${phones.server.rest}/recordings/${id}`, { method: "DELETE" }),
      409,
      "recording_active",
    );
    refused(await get(`${phones.server.rest}/recordings/${id}/audio`), 409, "recording_active");
    expect((await get(`${phones.server.rest}/recordings/${id}`)).body).toMatchObject({
      state: "recording",
      reason: null,
    });
    const { body } = await post(`${url}/record/stop`);
    expect(body).toMatchObject({
      status: "success",
      recording_id: id,
      reason: "stopped",
      state: "finished",
      lost_ms: 0,
    });
    const told = await events.event("recording_finished", { recording_id: id });
    expect(told).toMatchObject({ reason: "stopped", duration_ms: body.duration_ms, bytes: body.bytes });
    expect(events.types().indexOf("recording_started")).toBeLessThan(events.types().indexOf("recording_finished"));
    const { caller } = await sound(id);
    expect(bestLag(caller, said.subarray(0, 2000)).likeness).toBeGreaterThan(0.98);
    const flac = await fetch(`${phones.server.rest}/recordings/${id}/audio?format=flac`);
    expect([flac.status, flac.headers.get("content-type")]).toEqual([200, "audio/flac"]);
    expect(await samplesIn(await flac.bytes())).toEqual(caller);
    refused(await get(`${phones.server.rest}/recordings/${id}/audio?format=mp3`), 422, "invalid_input");
    refused(await post(`${url}/record/stop`), 409, "not_recording");
    refused(await post(`${url}/record/pause`), 409, "not_recording");
    refused(await post(`${url}/record/resume`), 409, "not_recording");
    await phone.hangUp(); // a rig's telephones are the next suite's too
  });

  test("is refused on-hook, and waits for the lift where it is told to", async () => {
    const { line, url, phone } = freshLine();
    refused(await post(`${url}/record`, {}), 409, "line_on_hook");
    const id = await started(url, { when: "off_hook", source: "both" });
    using events = await eventsOf(line);
    expect((await get(`${phones.server.rest}/recordings/${id}`)).body).toMatchObject({
      state: "waiting",
      bytes: 0,
      line,
    });
    await phone.lift();
    await events.event("recording_started", { recording_id: id });
    await eventually(
      () => get(`${phones.server.rest}/recordings/${id}`),
      ({ body }) => Number(body.duration_ms) >= 500,
    );
    await phone.hangUp();
    const { reason, bytes } = await events.event("recording_finished", { recording_id: id });
    expect(reason).toBe("hung_up");
    expect((await audio(id)).headers.get("content-length")).toBe(String(bytes));
  });

  test("ends at max_duration, in silence, at a key; beeps and pauses", async () => {
    const { line, url, phone } = freshLine();
    using events = await eventsOf(line);
    await phone.lift();
    const shortest = await started(url, { max_duration: 700 });
    expect(await events.event("recording_finished", { recording_id: shortest })).toMatchObject({
      reason: "max_duration",
      duration_ms: 700,
      bytes: 44 + 700 * 16,
    });
    const silent = await started(url, { silence_timeout: 600 });
    expect(await events.event("recording_finished", { recording_id: silent })).toMatchObject({
      reason: "silence",
    });
    const keyed = await started(url, { finish_on_key: "#", beep: true });
    await events.event("recording_started", { recording_id: keyed });
    await phone.press("#");
    expect(await events.event("recording_finished", { recording_id: keyed })).toMatchObject({
      reason: "finish_key",
    });
    const paused = await started(url);
    expect((await post(`${url}/record/pause`)).body).toMatchObject({ state: "paused" });
    expect((await post(`${url}/record/pause`)).status).toBe(200);
    expect((await post(`${url}/record/resume`)).body).toMatchObject({ state: "recording" });
    expect((await post(`${url}/record/stop`)).body).toMatchObject({ recording_id: paused, reason: "stopped" });
    await phone.hangUp();
  });

  test.each([
    [{ max_duration: 0 }, "max_duration"],
    [{ max_duration: 1e9 }, "max_duration"],
    [{ silence_timeout: 20 }, "silence_timeout"],
    [{ finish_on_key: "x" }, "finish_on_key"],
    [{ finish_on_key: "" }, "finish_on_key"],
    [{ source: "room" }, "source"],
    [{ format: "mp3" }, "format"],
    [{ when: "later" }, "when"],
    [{ volume: 11 }, "volume"],
  ])("refuses %p and changes nothing", async (wishes, field) => {
    const { body } = await post(`${phones.server.rest}/lines/12/record?when=off_hook`, wishes);
    expect(body).toMatchObject({ code: "invalid_input", errors: [{ field }] });
    refused(await post(`${phones.server.rest}/lines/12/record/stop`), 409, "not_recording");
  });
});

describe("/recordings", () => {
  let id: string;
  let whole: Uint8Array;
  beforeAll(async () => {
    const { url, phone } = freshLine();
    await phone.lift();
    id = await started(url, { max_duration: 500 });
    await eventually(
      () => get(`${phones.server.rest}/recordings/${id}`),
      ({ body }) => body.state === "finished",
    );
    whole = new Uint8Array(await (await audio(id)).arrayBuffer());
    await phone.hangUp();
  });

  test("lists, and tells of one", async () => {
    const { body } = await get(`${phones.server.rest}/recordings`);
    const listed = (body.recordings as Json[]).find((each) => each.id === id);
    const one = await get(`${phones.server.rest}/recordings/${id}`);
    expect(one.body).toEqual(listed as Json);
    expect(one.body).toMatchObject({ state: "finished", duration_ms: 500, bytes: 8044, source: "caller" });
    expect(String(one.body.started)).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    const ids = (body.recordings as Json[]).map((each) => String(each.id));
    expect(ids).toEqual([...ids].sort());
    const ofLine = await get(`${phones.server.rest}/recordings?line=${one.body.line}`);
    expect((ofLine.body.recordings as Json[]).every(({ line }) => line === one.body.line)).toBe(true);
    refused(await get(`${phones.server.rest}/recordings?line=x`), 422, "invalid_input");
  });

  test("gives the sound in ranges, with an ETag", async () => {
    const all = await audio(id);
    expect([all.status, all.headers.get("content-type"), all.headers.get("accept-ranges")]).toEqual([
      200,
      "audio/wav",
      "bytes",
    ]);
    expect(all.headers.get("content-length")).toBe("8044");
    expect(all.headers.get("content-range")).toBeNull();
    const etag = all.headers.get("etag") ?? "";
    expect(etag).toMatch(/^"[^"]+"$/);
    for (const [range, from, to] of [
      ["bytes=0-43", 0, 44],
      ["bytes=44-", 44, 8044],
      ["bytes=-100", 7944, 8044],
      ["bytes=8000-9000", 8000, 8044],
    ] as const) {
      const part = await audio(id, { range });
      expect([part.status, part.headers.get("content-range")]).toEqual([206, `bytes ${from}-${to - 1}/8044`]);
      expect(part.headers.get("content-length")).toBe(String(to - from));
      expect(new Uint8Array(await part.arrayBuffer())).toEqual(whole.slice(from, to));
    }
    const outside = await request(`${phones.server.rest}/recordings/${id}/audio`, {
      headers: { range: "bytes=8044-" },
    });
    refused(outside, 416, "range_not_satisfiable");
    expect(outside.headers.get("content-range")).toBe("bytes */8044");
    expect((await audio(id, { range: "bytes=0-9", "if-range": etag })).status).toBe(206);
    expect((await audio(id, { range: "bytes=0-9", "if-range": '"other"' })).status).toBe(200);
    expect((await audio(id, { range: "bytes=0-1,4-5" })).status).toBe(200);
    expect((await audio(id, { "if-none-match": etag })).status).toBe(304);
  });

  test("deletes, for ever", async () => {
    const gone = await fetch(`${phones.server.rest}/recordings/${id}`, { method: "DELETE" });
    expect([gone.status, await gone.text()]).toEqual([204, ""]);
    refused(await get(`${phones.server.rest}/recordings/${id}`), 404, "unknown_recording");
    refused(await get(`${phones.server.rest}/recordings/${id}/audio`), 404, "unknown_recording");
    refused(
      await request(`${phones.server.rest}/recordings/${id}`, { method: "DELETE" }),
      404,
      "unknown_recording",
    );
  });

  test.each(["..%2f..%2fetc%2fpasswd", "%2e%2e%2fx", "x.json", "00000000-0000-7000-8000-000000000000", "%00"])(
    "knows no %s, and shows no path",
    async (name) => {
      for (const path of [`/recordings/${name}`, `/recordings/${name}/audio`]) {
        const { status, body } = await request(`${phones.server.rest}${path}`);
        expect(status).toBe(404);
        expect(JSON.stringify(body)).not.toMatch(/\/(tmp|var|home|etc)/);
      }
      expect((await fetch(`${phones.server.rest}/recordings/${name}`, { method: "DELETE" })).status).toBe(404);
    },
  );

  test("a wrong method is told the right ones", async () => {
    const answer = await post(`${phones.server.rest}/recordings/${id}`);
    refused(answer, 405, "method_not_allowed");
    expect(answer.headers.get("allow")).toBe("GET, DELETE");
  });
});

/** These start and kill servers of their own, on disks of their own. */
const alone = rig ? { test: needs(false, `${card}: the simulator shows it`) } : { test };

alone.test("a kill -9 in mid-recording leaves a file that plays, found at the next start", async () => {
  const stateDir = mkdtempSync(join(tmpdir(), "dahdi-killed-"));
  try {
    const first = await startServer({ arguments: ["--simulate=1"], stateDir });
    const url = `${first.rest}/lines/1`;
    await post(`${first.rest}/simulator/lines/1/lift`);
    const { body } = await post(`${url}/record`, { source: "both" });
    const id = String(body.recording_id);
    const said = noise(32_000, 41);
    await request(`${first.rest}/simulator/lines/1/speak`, { method: "POST", body: said.slice().buffer });
    await eventually(
      () => get(`${first.rest}/recordings/${id}`),
      (answer) => Number(answer.body.duration_ms) >= 4000,
    );
    await first.stop("SIGKILL");
    const folder = join(stateDir, "recordings");
    expect(readdirSync(folder).sort()).toEqual([`${id}.json`, `${id}.wav.part`]);
    // Cut off in the middle of a frame, as a disk may leave it.
    const part = join(folder, `${id}.wav.part`);
    truncateSync(part, Math.floor(Bun.file(part).size / 4) * 4 - 1);
    await using second = await startServer({ arguments: ["--simulate=1"], stateDir });
    const found = await get(`${second.rest}/recordings/${id}`);
    expect(found.body).toMatchObject({ line: 1, source: "both", state: "finished", reason: "error" });
    expect(Number(found.body.duration_ms)).toBeGreaterThan(2900);
    const { caller } = await sound(id, second);
    expect(bestLag(caller.subarray(0, 12_000), said.subarray(0, 2000)).likeness).toBeGreaterThan(0.98);
    expect(readdirSync(folder).sort()).toEqual([`${id}.json`, `${id}.wav`]);
  } finally {
    rmSync(stateDir, { recursive: true, force: true });
  }
});

alone.test("a SIGTERM closes what is being recorded", async () => {
  const stateDir = mkdtempSync(join(tmpdir(), "dahdi-stopped-"));
  try {
    const first = await startServer({ arguments: ["--simulate=1"], stateDir });
    await post(`${first.rest}/simulator/lines/1/lift`);
    const { body } = await post(`${first.rest}/record`);
    await eventually(
      () => get(`${first.rest}/recordings/${body.recording_id}`),
      (answer) => Number(answer.body.duration_ms) >= 500,
    );
    expect(await first.stop()).toBe(0);
    await using second = await startServer({ arguments: ["--simulate=1"], stateDir });
    const found = await get(`${second.rest}/recordings/${body.recording_id}`);
    expect(found.body).toMatchObject({ state: "finished", reason: "stopped" });
  } finally {
    rmSync(stateDir, { recursive: true, force: true });
  }
});

const mayMount = !rig && process.getuid?.() === 0;
const smallDisk = needs(mayMount, "run as root: it mounts a disk of 3 MB");

smallDisk("a full disk: none begins, and one under way ends whole", async () => {
  const stateDir = mkdtempSync(join(tmpdir(), "dahdi-full-"));
  expect(spawnSync("mount", ["-t", "tmpfs", "-o", "size=3m", "none", stateDir]).status).toBe(0);
  try {
    mkdirSync(join(stateDir, "recordings"));
    const config = join(stateDir, "config.yml");
    writeFileSync(config, "recording: { min_free_mb: 1 }\n");
    const ballast = join(stateDir, "ballast");
    writeFileSync(ballast, new Uint8Array(2_200_000));
    await using full = await startServer({ arguments: ["--simulate=1", `--config=${config}`], stateDir });
    await post(`${full.rest}/simulator/lines/1/lift`);
    const refusal = refused(await post(`${full.rest}/record`), 507, "disk_full");
    expect(JSON.stringify(refusal)).not.toContain(stateDir);
    expect((await get(`${full.rest}/recordings`)).body).toEqual({ recordings: [] });
    // Little room above the bound: 60 kB are two seconds of both channels.
    truncateSync(ballast, 1_950_000);
    using events = await EventListener.open(full.websocket);
    const { body } = await post(`${full.rest}/record`, { source: "both" });
    const told = await events.event("recording_finished", { recording_id: body.recording_id }, 30_000);
    expect(told).toMatchObject({ reason: "disk_full" });
    expect(Number(told.duration_ms)).toBeGreaterThan(900);
    const { caller } = await sound(String(body.recording_id), full);
    expect(caller.length).toBe(Math.floor((Number(told.bytes) - 44) / 4));
    expect((await get(`${full.rest}/health`)).status).toBe(200);
    expect((await fetch(`${full.rest}/recordings/${body.recording_id}`, { method: "DELETE" })).status).toBe(204);
  } finally {
    spawnSync("umount", ["-l", stateDir]);
    rmSync(stateDir, { recursive: true, force: true });
  }
});

test("eight lines at once, each its own voice, nothing lost", async () => {
  await using busy = rig ? phones.server : await startServer({ arguments: ["--simulate=8"] });
  if (rig) return;
  const lines = [1, 2, 3, 4, 5, 6, 7, 8];
  await Promise.all(lines.map((line) => post(`${busy.rest}/simulator/lines/${line}/lift`)));
  const answers = await Promise.all(
    lines.map((line) => post(`${busy.rest}/lines/${line}/record`, { source: "both" })),
  );
  await Promise.all(
    lines.map((line) =>
      request(`${busy.rest}/simulator/lines/${line}/speak`, {
        method: "POST",
        body: noise(16_000, line).slice().buffer,
      }),
    ),
  );
  const stopped = await Promise.all(lines.map((line) => post(`${busy.rest}/lines/${line}/record/stop`)));
  for (const [i, { body }] of stopped.entries()) {
    expect(body).toMatchObject({ recording_id: answers[i]?.body.recording_id, lost_ms: 0 });
    const { caller } = await sound(String(body.recording_id), busy);
    const { likeness } = bestLag(caller.subarray(0, 10_000), noise(16_000, i + 1).subarray(0, 1000));
    expect(likeness).toBeGreaterThan(0.98);
  }
});
