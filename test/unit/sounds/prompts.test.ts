import { afterAll, describe, expect, test } from "bun:test";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ByteStream } from "../../../src/audio/byte_stream";
import { AudioError } from "../../../src/audio/error";
import { openAudio } from "../../../src/audio/open";
import { NOT_YET, type PcmSource } from "../../../src/audio/source";
import { readWavHeader, wavHeader } from "../../../src/audio/wav_header";
import { Prompts, type PromptsOptions } from "../../../src/sounds/prompts";
import { readAhead } from "../../../src/sounds/read_ahead";
import { samplesOf } from "../../../src/sounds/samples";
import { SoundError } from "../../../src/sounds/sound_error";
import { eventually } from "../../support/server";

const root = mkdtempSync(join(tmpdir(), "dahdi-prompts-"));
afterAll(() => rmSync(root, { recursive: true }));
const never = new AbortController().signal;

function prompts(name: string, more: Partial<PromptsOptions> = {}) {
  const folder = join(root, name);
  const log: string[] = [];
  const made = new Prompts({
    folder,
    maxDurationMs: 60_000,
    minFreeBytes: 0,
    maxTotalBytes: 0,
    log: { error: (message) => log.push(message) },
    ...more,
  });
  return { folder, log, prompts: made };
}

const pcm = (samples: number, value = 1000): Uint8Array<ArrayBuffer> =>
  new Uint8Array(Int16Array.from({ length: samples }, (_, i) => (i % 2 === 0 ? value : -value)).buffer);
const sound = (samples: number, value?: number): Promise<PcmSource> => openAudio(pcm(samples, value));

const code = (wanted: Promise<unknown>): Promise<string> =>
  wanted.then(
    () => "done",
    (error: unknown) => {
      if (error instanceof SoundError || error instanceof AudioError) return error.code;
      throw error;
    },
  );
async function heard(source: PcmSource): Promise<number[]> {
  const samples: number[] = [];
  for await (const piece of samplesOf(source, never, new Int16Array(1000))) samples.push(...piece);
  return samples;
}

describe("a prompt", () => {
  test("is kept as the telephone hears it, played, listed, replaced, deleted", async () => {
    const { folder, prompts: store } = prompts("life");
    // 16 kHz, stereo: what comes is 8 kHz, mono.
    const stereo = Buffer.concat([wavHeader(2, 16_000, 64_000), pcm(32_000)]);
    const kept = await store.save("hello", await openAudio(new Uint8Array(stereo)), never);
    expect(kept).toMatchObject({ name: "hello", durationMs: 1000, bytes: 16_044 });
    const file = new Uint8Array(readFileSync(join(folder, "hello.wav")));
    expect(readWavHeader(file)).toEqual({ channels: 1, dataBytes: 16_000 });
    expect(statSync(join(folder, "hello.wav")).mode & 0o077).toBe(0);
    const playing = await store.open("hello", { signal: never, loudnessDbm0: null });
    expect(playing.samples).toBe(8000);
    await store.save("hello", await sound(800), never);
    await store.save("a_b-1", await sound(80), never);
    expect((await store.list()).map(({ name, durationMs }) => [name, durationMs])).toEqual([
      ["a_b-1", 10],
      ["hello", 100],
    ]);
    // What is being heard of the old one is heard to its end.
    expect((await heard(playing)).length).toBe(8000);
    expect((await heard(await store.open("hello", { signal: never, loudnessDbm0: null }))).length).toBe(800);
    await store.delete("hello");
    expect(await code(store.get("hello"))).toBe("unknown_prompt");
    expect(await code(store.delete("hello"))).toBe("unknown_prompt");
    expect(readdirSync(folder)).toEqual(["a_b-1.wav"]);
  });

  test("that is deleted in the moment in which it is opened is there, or is not; nothing else comes of it", async () => {
    const { folder, prompts: store } = prompts("deleted");
    await store.save("kept", await sound(8000), never);
    const outcomes = new Set<string>();
    for (let i = 0; i < 200; i++) {
      copyFileSync(join(folder, "kept.wav"), join(folder, "gone.wav"));
      const opening = store.open("gone", { signal: never, loudnessDbm0: null });
      for (let turns = i % 20; turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve));
      rmSync(join(folder, "gone.wav"), { force: true });
      const outcome = await code(opening);
      outcomes.add(outcome);
      if (outcome === "done") expect(await heard(await opening)).toHaveLength(8000);
    }
    expect([...outcomes].filter((outcome) => outcome !== "done")).toEqual(["unknown_prompt"]);
  });

  test("whose file is gone when the first byte is asked for fails who reads it, and not the process", async () => {
    const gone = new Error("gone");
    const pieces = {
      [Symbol.asyncIterator]: () => {
        throw gone;
      },
    };
    const bytes = new ByteStream();
    const stopped: string[] = [];
    await readAhead(pieces, bytes, {
      aheadBytes: 1000,
      stallMs: 1000,
      maxBytes: 1000,
      stalled: () => gone,
      tooLarge: () => gone,
      stop: () => stopped.push("stopped"),
    });
    expect([bytes.failure, stopped]).toEqual([gone, ["stopped"]]);
  });

  test("that turns out broken leaves the one before, and nothing else", async () => {
    const { folder, prompts: store } = prompts("broken");
    await store.save("a", await sound(800), never);
    const bytes = new ByteStream(20_000);
    bytes.push(pcm(4000));
    const source = await openAudio(bytes);
    const saving = code(store.save("a", source, never));
    await eventually(
      () => readdirSync(folder).length,
      (files) => files === 2,
    );
    bytes.fail(new AudioError("truncated", "it broke off"));
    expect(await saving).toBe("truncated");
    expect(await code(store.save("a", await sound(8 * 60_001), never))).toBe("too_long");
    expect(await code(store.save("a", { samples: 0, read: () => 0 }, never))).toBe("empty");
    expect(readdirSync(folder)).toEqual(["a.wav"]);
    expect((await store.get("a")).durationMs).toBe(100);
  });

  test("whose sender goes is given up, and its source closed", async () => {
    const { folder, prompts: store } = prompts("gone");
    await store.list();
    let closed = 0;
    const gone = new AbortController();
    const source: PcmSource = {
      samples: null,
      read: () => NOT_YET,
      whenReady: () => undefined,
      close: () => closed++,
    };
    const saving = code(store.save("a", source, gone.signal));
    await eventually(
      () => readdirSync(folder).length,
      (files) => files === 1,
    );
    gone.abort();
    expect(await saving).toBe("cancelled");
    expect(closed).toBeGreaterThan(0);
    expect(readdirSync(folder)).toEqual([]);
  });

  test("has a name that is no path", async () => {
    const { prompts: store } = prompts("names/inner");
    mkdirSync(join(root, "names"), { recursive: true });
    writeFileSync(join(root, "names/outside.wav"), "x");
    for (const name of ["../outside", "a/b", "", ".", "A", "a.b", "a\0", "x".repeat(65), "ä"]) {
      expect(`${name} ${await code(store.get(name))}`).toBe(`${name} unknown_prompt`);
      expect(`${name} ${await code(store.save(name, await sound(8), never))}`).toBe(`${name} bad_name`);
    }
    expect(readdirSync(join(root, "names"))).toEqual(["inner", "outside.wav"]);
  });

  test("finds no room beyond the quota, and on a full disk", async () => {
    const { folder, prompts: store } = prompts("quota", { maxTotalBytes: 50_000 });
    await store.save("a", await sound(16_000), never);
    expect(await code(store.save("b", await sound(16_000), never))).toBe("disk_full");
    await store.delete("a");
    expect(await code(store.save("b", await sound(16_000), never))).toBe("done");
    expect(readdirSync(folder)).toEqual(["b.wav"]);
    const full = prompts("full", { minFreeBytes: Number.MAX_SAFE_INTEGER });
    expect(await code(full.prompts.save("a", await sound(80), never))).toBe("disk_full");
    expect(readdirSync(full.folder)).toEqual([]);
  });

  test("that was cut off by the end of the process is cleared away", async () => {
    mkdirSync(join(root, "cut"));
    writeFileSync(join(root, "cut/a.123.1.part"), "x");
    const { folder, prompts: store } = prompts("cut");
    expect(await store.list()).toEqual([]);
    expect(readdirSync(folder)).toEqual([]);
  });

  test("needs a place", async () => {
    expect(await code(prompts("none", { folder: null }).prompts.list())).toBe("prompts_unavailable");
    writeFileSync(join(root, "file"), "x");
    const { prompts: store, log } = prompts("file/prompts");
    expect(await code(store.save("a", await sound(80), never))).toBe("prompts_unavailable");
    expect(log).toEqual(["prompts cannot be kept"]);
  });
});
