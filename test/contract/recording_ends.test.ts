/** What becomes of recordings when the program, the disk or the time ends: servers of their own, on disks of their own. */
import { expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EventListener, get, post, request } from "../support/client";
import { bestLag } from "../support/correlation";
import { needs } from "../support/needs";
import { soundOf } from "../support/recordings";
import { eventually, type RunningServer, startServer } from "../support/server";
import { refused } from "../support/shared_telephones";
import { noise } from "../support/stepped";

const soundIn = async (server: RunningServer, id: unknown) =>
  soundOf(new Uint8Array(await (await fetch(`${server.rest}/recordings/${id}/audio`)).arrayBuffer()));

test("a kill -9 in mid-recording leaves a file that plays, found at the next start", async () => {
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
    const folder = join(stateDir, "recordings");
    // All but its last second, however busy the disk.
    await eventually(
      () => Bun.file(join(folder, `${id}.wav.part`)).size,
      (bytes) => bytes > 3000 * 32,
    );
    await first.stop("SIGKILL");
    expect(readdirSync(folder).sort()).toEqual([`${id}.json`, `${id}.wav.part`]);
    // Cut off in the middle of a frame, as a disk may leave it.
    const part = join(folder, `${id}.wav.part`);
    truncateSync(part, Math.floor(Bun.file(part).size / 4) * 4 - 1);
    await using second = await startServer({ arguments: ["--simulate=1"], stateDir });
    const found = await get(`${second.rest}/recordings/${id}`);
    expect(found.body).toMatchObject({ line: 1, source: "both", state: "finished", reason: "error" });
    expect(Number(found.body.duration_ms)).toBeGreaterThan(2900);
    const { caller } = await soundIn(second, id);
    expect(bestLag(caller, said.subarray(0, 2000)).likeness).toBeGreaterThan(0.98);
    expect(readdirSync(folder).sort()).toEqual([`${id}.json`, `${id}.wav`]);
  } finally {
    rmSync(stateDir, { recursive: true, force: true });
  }
});

test("a SIGTERM closes what is being recorded", async () => {
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

const mayMount = process.getuid?.() === 0;
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
    const told = await events.event("recording_finished", { recording_id: body.recording_id });
    expect(told).toMatchObject({ reason: "disk_full" });
    expect(Number(told.duration_ms)).toBeGreaterThan(900);
    const { caller } = await soundIn(full, body.recording_id);
    expect(caller.length).toBe(Math.floor((Number(told.bytes) - 44) / 4));
    expect((await get(`${full.rest}/health`)).status).toBe(200);
    expect((await fetch(`${full.rest}/recordings/${body.recording_id}`, { method: "DELETE" })).status).toBe(204);
  } finally {
    spawnSync("umount", ["-l", stateDir]);
    rmSync(stateDir, { recursive: true, force: true });
  }
});

test("eight lines at once, each its own voice, nothing lost", async () => {
  await using busy = await startServer({ arguments: ["--simulate=8"] });
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
    const { caller } = await soundIn(busy, body.recording_id);
    const { likeness } = bestLag(caller, noise(16_000, i + 1).subarray(0, 1000));
    expect(likeness).toBeGreaterThan(0.98);
  }
});
