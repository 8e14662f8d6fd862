import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { wavHeader } from "../../../src/audio/wav_header";
import { FlacFiles } from "../../../src/recordings/flac_file";
import { needs } from "../../support/needs";
import { eventually, ROOT } from "../../support/server";

const folder = mkdtempSync(join(tmpdir(), "dahdi-flac-"));
afterAll(() => rmSync(folder, { recursive: true }));
const THREAD = new URL(`file://${join(ROOT, "src/recordings/flac_thread.ts")}`).href;
const files = (stallMs = 20_000): FlacFiles => new FlacFiles(THREAD, stallMs);

/** Loud noise, silence, and both ends of the scale. */
function recording(
  name: string,
  channels: 1 | 2,
  seconds: number,
): { path: string; samples: Int16Array<ArrayBuffer> } {
  let state = 7;
  const samples = Int16Array.from({ length: 8000 * channels * seconds + channels * 5 }, (_, i) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    const at = Math.floor(i / 4000) % 4;
    return at === 0 ? state >> 16 : at === 1 ? 0 : at === 2 ? ((i & 1) === 0 ? 32767 : -32768) : state >> 22;
  });
  const path = join(folder, `${name}.wav`);
  writeFileSync(
    path,
    Buffer.concat([wavHeader(channels, 8000, samples.byteLength), new Uint8Array(samples.buffer)]),
  );
  return { path, samples };
}

const flac = needs(Bun.which("flac") !== null, "apt-get install flac");

describe("a recording as FLAC", () => {
  for (const channels of [1, 2] as const) {
    flac(`is the same, sample for sample, with a sum that says so: ${channels} channels`, async () => {
      const { path, samples } = recording(`same${channels}`, channels, 23);
      const out = join(folder, `same${channels}.flac`);
      const bytes = await new Response(files().stream(path)).bytes();
      writeFileSync(out, bytes);
      const tested = Bun.spawnSync(["flac", "--test", "--warnings-as-errors", out]);
      expect(`${tested.stderr}`).toContain("ok");
      expect(tested.exitCode).toBe(0);
      const raw = Bun.spawnSync([
        "flac",
        "-d",
        "-s",
        "-c",
        "--force-raw-format",
        "--endian=little",
        "--sign=signed",
        out,
      ]).stdout;
      expect(new Uint8Array(raw)).toEqual(new Uint8Array(samples.buffer));
      expect(bytes.length).toBeLessThan(0.8 * samples.byteLength);
    });
  }

  test("is made for two at once; who goes, or takes nothing, makes place", async () => {
    const { path } = recording("long", 2, 120);
    const made = files(2000);
    const going = made.stream(path);
    const stalling = made.stream(path).getReader();
    await stalling.read();
    expect(() => made.stream(path)).toThrow("2 recordings are being made into FLAC");
    await going.cancel();
    const next = made.stream(path);
    expect(() => made.stream(path)).toThrow();
    // The other reads no further.
    await eventually(
      () => {
        try {
          return made.stream(path);
        } catch {
          return null;
        }
      },
      (stream) => stream !== null,
    ).then((stream) => stream?.cancel());
    // Nobody reads it either: by now it may have ended by itself, and for nothing else.
    const ended = await next.cancel().catch((error: Error) => error.message);
    expect(ended ?? "nobody takes it").toContain("nobody takes it");
    expect(
      await (async () => {
        for (;;) if ((await stalling.read()).done) return "done";
      })().catch((error: Error) => error.message),
    ).toContain("nobody takes it");
  });

  test("of what is no recording fails", async () => {
    const path = join(folder, "none.wav");
    writeFileSync(path, "nothing");
    expect(await new Response(files().stream(path)).bytes().catch((error: Error) => error.message)).toContain(
      "it is no recording",
    );
  });
});
