/** Files as a cut-off process leaves them, and disks that are full. */
import { describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readWavHeader, wavHeader } from "../../../src/audio/wav_header";
import { type Recording, RecordingStoreError } from "../../../src/recordings/recording";
import { RecordingStore } from "../../../src/recordings/store";
import { thisProcess } from "../../../src/recordings/writer";
import { needs } from "../../support/needs";
import { recordingFolder, soundOf } from "../../support/recordings";
import { eventually } from "../../support/server";
import { noise } from "../../support/stepped";

const newRecording = (source: Recording["source"] = "caller"): Recording => ({
  id: Bun.randomUUIDv7(),
  line: 1,
  source,
  startedAtMs: Date.now(),
  state: "waiting",
  durationMs: 0,
  bytes: 0,
  lostMs: 0,
  reason: null,
});

const ID = "019c08f1-2a40-7c3e-9b1d-5f2e8a7c4d10";
const refusal = async (attempt: Promise<unknown>): Promise<string> =>
  attempt.then(
    () => "worked",
    (error: unknown) => (error instanceof RecordingStoreError ? error.code : String(error)),
  );

/** A folder as it was left, looked at by a store that starts. */
async function found(files: Record<string, string | Uint8Array>) {
  const folder = mkdtempSync(join(tmpdir(), "dahdi-recordings-"));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  const complaints: string[] = [];
  const log = { error: (message: string) => void complaints.push(message) };
  const store = new RecordingStore({ folder, limits: () => ({ minFreeBytes: 0, maxTotalBytes: 0 }), log });
  const recordings = await store.list(null);
  return {
    folder,
    complaints,
    recordings,
    names: readdirSync(folder).sort(),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

const wav = (claimedBytes: number, heldBytes: number, channels: 1 | 2 = 1): Uint8Array => {
  const bytes = new Uint8Array(44 + heldBytes).fill(7);
  bytes.set(wavHeader(channels, 8000, claimedBytes));
  return bytes;
};

describe("a process that was cut off leaves a recording", () => {
  test("whose header is a second behind: it is mended, named, and told for what it is", async () => {
    const notes = {
      line: 3,
      source: "caller",
      startedAtMs: 1_769_688_000_000,
      lostMs: 0,
      reason: null,
      writer: "1 2 x",
    };
    using after = await found({ [`${ID}.wav.part`]: wav(16_000, 24_001), [`${ID}.json`]: JSON.stringify(notes) });
    expect(after.recordings).toEqual([
      {
        id: ID,
        line: 3,
        source: "caller",
        startedAtMs: 1_769_688_000_000,
        state: "finished",
        durationMs: 1500,
        bytes: 24_044,
        lostMs: 0,
        reason: "error",
      },
    ]);
    expect(after.names).toEqual([`${ID}.json`, `${ID}.wav`]);
    expect(soundOf(new Uint8Array(readFileSync(join(after.folder, `${ID}.wav`)))).caller.length).toBe(12_000);
    expect(JSON.parse(readFileSync(join(after.folder, `${ID}.json`), "utf8")).reason).toBe("error");
  });

  test("whose header promises more than the disk got", async () => {
    using after = await found({ [`${ID}.wav.part`]: wav(64_000, 32_006, 2) });
    expect(after.recordings).toMatchObject([{ durationMs: 1000, bytes: 32_048, source: "both", line: 0 }]);
    // Without notes, its id says when it began.
    expect(after.recordings[0]?.startedAtMs).toBe(0x019c08f12a40);
  });

  test("that has its name already, and a wrong length", async () => {
    using after = await found({ [`${ID}.wav`]: wav(0, 800) });
    expect(after.recordings).toMatchObject([{ durationMs: 50, bytes: 844 }]);
    expect(readWavHeader(new Uint8Array(readFileSync(join(after.folder, `${ID}.wav`))))?.dataBytes).toBe(800);
  });

  test.each([
    ["nothing", { [`${ID}.wav.part`]: new Uint8Array(0), [`${ID}.json`]: "{}" }],
    ["a header alone", { [`${ID}.wav.part`]: wav(0, 1) }],
    ["half a header", { [`${ID}.wav.part`]: wav(0, 0).subarray(0, 20) }],
    ["notes alone", { [`${ID}.json`]: "{", [`${ID}.json.new`]: "" }],
  ])("of %s: that is cleared away", async (_, files) => {
    using after = await found(files as Record<string, string | Uint8Array>);
    expect(after.recordings).toEqual([]);
    expect(after.names.filter((name) => !name.endsWith(".new"))).toEqual([]);
    expect(after.complaints).toEqual([]);
  });

  test("and what is not ours is left alone", async () => {
    using after = await found({ "notes.txt": "mine", "other.wav": wav(0, 800), "..wav": "" });
    expect(after.recordings).toEqual([]);
    expect(after.names).toEqual(["..wav", "notes.txt", "other.wav"]);
  });

  test("while another program still writes one: nobody touches it", async () => {
    const sleeper = Bun.spawn(["sleep", "60"]);
    try {
      const [, ...ours] = (await thisProcess()).split(" ");
      const stat = readFileSync(`/proc/${sleeper.pid}/stat`, "utf8").split(" ");
      const writer = `${sleeper.pid} ${stat[21]} ${ours[1]}`;
      const files = { [`${ID}.wav.part`]: wav(0, 800), [`${ID}.json`]: JSON.stringify({ writer }) };
      using alive = await found(files);
      expect(alive.recordings).toEqual([]);
      expect(alive.names).toEqual([`${ID}.json`, `${ID}.wav.part`]);
      // The number is the same, the process is not.
      using reused = await found({
        ...files,
        [`${ID}.json`]: JSON.stringify({ writer: `${sleeper.pid} 1 ${ours[1]}` }),
      });
      expect(reused.recordings.length).toBe(1);
    } finally {
      sleeper.kill();
    }
  });
});

describe("while it is written", () => {
  test("the file is whole every second, and is cut where the end turns out to be", async () => {
    using kept = recordingFolder();
    await kept.store.admit();
    const recording = newRecording();
    kept.store.announce(recording);
    const writer = kept.store.begin(recording, () => undefined);
    const sound = noise(40_000, 3);
    const part = join(kept.folder, `${recording.id}.wav.part`);
    for (let at = 0; at < 40_000; at += 4000) writer.append(sound.slice(at, at + 4000));
    // Five seconds: the header knows of those that an earlier sync has put on the disk.
    const header = await eventually(
      () => (existsSync(part) ? readWavHeader(new Uint8Array(readFileSync(part))) : null),
      (read) => (read?.dataBytes ?? 0) >= 64_000,
    );
    expect(header?.dataBytes).toBe(64_000);
    expect(await refusal(kept.store.soundPath(recording.id))).toBe("recording_active");
    expect(await refusal(kept.store.delete(recording.id))).toBe("recording_active");
    const done = await writer.finish({ frames: 33_333, reason: "stopped", lostMs: 0 });
    expect(done).toMatchObject({ state: "finished", durationMs: 4167, bytes: 44 + 66_666 });
    const { caller } = soundOf(new Uint8Array(readFileSync(await kept.store.soundPath(recording.id))));
    expect(caller).toEqual(sound.slice(0, 33_333));
    // Another process finds the same.
    const again = new RecordingStore({
      folder: kept.folder,
      limits: () => ({ minFreeBytes: 0, maxTotalBytes: 0 }),
      log: { error: () => undefined },
    });
    expect(await again.get(recording.id)).toEqual(done);
    await again.delete(recording.id);
    expect(readdirSync(kept.folder)).toEqual([]);
  });

  test("a folder that vanishes ends it, once", async () => {
    using kept = recordingFolder();
    await kept.store.admit();
    rmSync(kept.folder, { recursive: true });
    const failures: string[] = [];
    const writer = kept.store.begin(newRecording(), (reason) => failures.push(reason));
    writer.append(noise(8000));
    writer.settle();
    expect(await writer.finish({ frames: 8000, reason: "stopped", lostMs: 0 })).toMatchObject({
      reason: "error",
      bytes: 0,
    });
    expect(failures).toEqual(["error"]);
  });

  test("all recordings together may be bounded", async () => {
    using kept = recordingFolder({ limits: () => ({ minFreeBytes: 0, maxTotalBytes: 100_000 }) });
    await kept.store.admit();
    const recording = newRecording();
    kept.store.announce(recording);
    const failures: string[] = [];
    const writer = kept.store.begin(recording, (reason) => failures.push(reason));
    for (let i = 0; i < 10 && failures.length === 0; i++) writer.append(noise(8000));
    await eventually(
      () => failures,
      ([reason]) => reason === "disk_full",
    );
    await writer.finish({ frames: 8000, reason: "disk_full", lostMs: 0 });
    expect(await refusal(kept.store.admit())).toBe("worked");
    recording.bytes = 100_000;
    expect(await refusal(kept.store.admit())).toBe("disk_full");
  });
});

test("a folder that cannot be made refuses, and says so in the log", async () => {
  using kept = recordingFolder({ folder: "/proc/nothing/recordings" });
  expect(await refusal(kept.store.admit())).toBe("recordings_unavailable");
  expect(kept.complaints).toMatchObject([{ message: "recordings cannot be kept" }]);
});

const mayMount = process.getuid?.() === 0 && spawnSync("mountpoint", ["-q", "/proc"]).status === 0;
const smallDisk = needs(mayMount, "run as root: it mounts a disk of 3 MB");

smallDisk("a full disk ends it with a file that is whole", async () => {
  using kept = recordingFolder();
  mkdirSync(kept.folder, { recursive: true });
  expect(spawnSync("mount", ["-t", "tmpfs", "-o", "size=3m", "none", kept.folder]).status).toBe(0);
  try {
    const log = { error: () => undefined };
    const store = new RecordingStore({
      folder: kept.folder,
      limits: () => ({ minFreeBytes: 0, maxTotalBytes: 0 }),
      log,
    });
    await store.admit();
    const recording = newRecording("both");
    store.announce(recording);
    const failures: string[] = [];
    const writer = store.begin(recording, (reason) => failures.push(reason));
    for (let i = 0; i < 130; i++) writer.append(noise(16_000, i)); // 4 MB
    await eventually(
      () => failures,
      ([reason]) => reason === "disk_full",
    );
    const done = await writer.finish({ frames: 130 * 8000, reason: "disk_full", lostMs: 0 });
    expect(done.reason).toBe("disk_full");
    expect(done.bytes).toBeGreaterThan(2_900_000);
    const { caller } = soundOf(new Uint8Array(readFileSync(await store.soundPath(recording.id))));
    expect(caller.length).toBe(Math.floor((done.bytes - 44) / 4));
    expect(caller.subarray(0, 8000)).toEqual(noise(16_000, 0).filter((_, i) => i % 2 === 0));
    const guarded = new RecordingStore({
      folder: kept.folder,
      limits: () => ({ minFreeBytes: 1024 * 1024, maxTotalBytes: 0 }),
      log,
    });
    expect(await refusal(guarded.admit())).toBe("disk_full");
    await store.delete(recording.id);
    expect(await refusal(guarded.admit())).toBe("worked");
  } finally {
    spawnSync("umount", ["-l", kept.folder]);
  }
});
