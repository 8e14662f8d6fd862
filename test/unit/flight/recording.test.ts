/** What a recording keeps, how it is written, and what is said of a file that is none. */
import { describe, expect, test } from "bun:test";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { ULAW_TO_S16 } from "../../../src/audio/g711";
import { loadShim } from "../../../src/driver/library";
import type { Exchange } from "../../../src/exchange/verbs";
import { Refusal } from "../../../src/exchange/verbs";
import { FlightFiles } from "../../../src/flight/flight_files";
import { FlightDataError, readRecording } from "../../../src/flight/read_recording";
import { plainArguments, recordedExchange } from "../../../src/flight/recorded_verbs";
import { RecordingRing } from "../../../src/flight/recording_ring";
import { replay } from "../../../src/flight/replay";
import { replayFile } from "../../../src/flight/replay_command";
import { SoundRing } from "../../../src/flight/sound_ring";
import { EPOCH_MS, pcmSource, sine, stepped } from "../../support/stepped";

describe("the ring", () => {
  test("is bounded in number, and counts what left early", () => {
    const left: number[] = [];
    const ring = new RecordingRing<number>(3, 1000, (entry) => left.push(entry));
    for (let i = 0; i < 5; i++) ring.push(i, i);
    expect([...ring].map(({ entry }) => entry)).toEqual([2, 3, 4]);
    expect(left).toEqual([0, 1]);
    expect(ring.crowdedOut).toBe(2);
  });

  test("is bounded in age", () => {
    const ring = new RecordingRing<string>(100, 50, () => undefined);
    ring.push(0, "old");
    ring.push(40, "young");
    ring.push(60, "new");
    expect([...ring]).toEqual([
      { atNs: 40, entry: "young" },
      { atNs: 60, entry: "new" },
    ]);
    ring.expire(1000);
    expect(ring.size).toBe(0);
    expect(ring.crowdedOut).toBe(0);
  });
});

test("a line's sound is kept for its minutes and no longer", () => {
  const ring = new SoundRing(1);
  const block = (value: number): Int16Array => new Int16Array(160).fill(value);
  for (let i = 0; i < 4000; i++) ring.keep({ atNs: i * 20e6, heard: block(i), sent: block(-i) });
  const blocks = [...ring.blocks(4000 * 20e6)].map(({ atNs, heard, sent }) => [
    atNs / 20e6,
    ULAW_TO_S16[heard[159] as number] as number,
    ULAW_TO_S16[sent[0] as number] as number,
  ]);
  expect(blocks.length).toBe(3000);
  for (const [i = 0, heard = 0, sent = 0] of blocks) {
    expect(Math.abs(heard - i)).toBeLessThanOrEqual(i / 16 + 4);
    expect(Math.abs(sent + i)).toBeLessThanOrEqual(i / 16 + 4);
  }
  expect(blocks[0]?.[0]).toBe(1000);
});

describe("verbs", () => {
  const asked: unknown[] = [];
  const recorder = {
    asked: (verb: string, given: readonly unknown[]) => asked.push([verb, ...plainArguments(given)]),
    refused: (call: number, code: string) => void asked.push([call, code]),
  };

  test("are recorded with what was given, rooms as well, and questions are not", async () => {
    using phone = await stepped({ ports: 2 });
    asked.length = 0;
    const exchange: Exchange = recordedExchange(phone.exchange, recorder);
    expect(exchange.status(1).line).toBe(1);
    expect(exchange.lines).toEqual([1, 2]);
    expect(() => exchange.play(1, pcmSource(sine(440, 100)), { when: "now" })).toThrow(Refusal);
    await expect(exchange.bridges.create([1, 1], null)).rejects.toThrow("two or more");
    await Bun.sleep(0);
    expect(asked).toEqual([
      ["play", 1, { sound: { samples: 800 } }, { when: "now" }],
      [1, "line_on_hook"],
      ["bridges.create", [1, 1], null],
      [3, "invalid_input"],
    ]);
  });

  test("keep no more of what was given than is good", () => {
    const deep: Record<string, unknown> = {};
    deep.deep = deep;
    const wide = Array.from({ length: 100 }, () => Array(1000).fill(1));
    const given = { text: "x".repeat(1000), bytes: new Int16Array(9), call: () => 1, wide, deep };
    expect(JSON.stringify(plainArguments([given, deep])).length).toBeLessThan(2500);
    expect(plainArguments([given])).toMatchObject([{ text: "x".repeat(200), bytes: { bytes: 18 } }]);
    expect(plainArguments([deep]).length).toBe(1);
  });

  test("and a clock that is set make no hole in what is kept", async () => {
    using phone = await stepped();
    await phone.advance(100);
    phone.flight.published(1, EPOCH_MS + 3_600_000, { type: "on_hook" });
    phone.flight.published(1, EPOCH_MS - 3_600_000, { type: "on_hook" });
    const text = [...phone.flight.dump({ reason: "test", sound: false, masked: false })].join("");
    expect(text.match(/"type":"on_hook"/g)?.length).toBe(2);
    expect(text).toContain('"kind":"line_up"');
    expect(() => readRecording(new TextEncoder().encode(text))).not.toThrow();
  });
});

test("a masked one has no digit of a PIN that was asked for by its pattern, and can be replayed", async () => {
  using phone = await stepped();
  await phone.until(phone.verbs.ring(1, { pattern: "NORMAL" }));
  await phone.until(phone.handsets.lift(1));
  phone.verbs.gather(1, { pattern: "47[1-3]1|0X.", prompt: null, loop: 1, when: "now" });
  const text = [...phone.flight.dump({ reason: "test", sound: false, masked: true })].join("");
  expect(text).toContain('"pattern":"XXXX|XX."');
  expect(text).toContain('"pattern":"NORMAL"');
});

async function aRecording(): Promise<string> {
  using phone = await stepped();
  await phone.until(phone.verbs.ring(1, { repeat: 2 }));
  await phone.advance(1000);
  await phone.until(phone.handsets.lift(1));
  await phone.until(phone.handsets.press(1, { digits: "5", onMs: 90, offMs: 90, levelDbm0: -10, twistDb: 0 }));
  await phone.until(phone.handsets.pulse(1, "2"));
  await phone.until(phone.handsets.hangUp(1));
  return [...phone.flight.dump({ reason: "test", sound: false, masked: false })].join("");
}

const read = (text: string): unknown => readRecording(new TextEncoder().encode(text));

describe("a file", () => {
  test("that is cut off anywhere is not taken for a whole one", async () => {
    const text = await aRecording();
    expect(() => read(text)).not.toThrow();
    for (let length = 0; length < text.length - 1; length += 97)
      expect(() => read(text.slice(0, length))).toThrow(FlightDataError);
    const lines = text.split("\n");
    expect(() => read([...lines.slice(0, 4), ...lines.slice(5)].join("\n"))).toThrow("cut off");
    const packed = gzipSync(text);
    expect(() => readRecording(new Uint8Array(packed))).not.toThrow();
    expect(() => readRecording(new Uint8Array(packed.subarray(0, packed.length - 9)))).toThrow("gzip");
  });

  test.each([
    ["", "no flight recording"],
    ["[1]\n", "no flight recording"],
    ["\0\x01\x02", "no flight recording"],
    ['{"type":"off_hook"}\n{"end":1}\n', "no flight recording"],
    ['{"flight_recording":9,"version":"7"}\n{"end":1}\n', "of format 9 (version 7)"],
    ['{"flight_recording":1}\n{"end":1}\n', "header, is damaged"],
  ])("of something else: %j", (text, complaint) => {
    expect(() => read(text)).toThrow(complaint);
  });

  test("whose lines are damaged is replayed as far as it can be", async () => {
    const lines = (await aRecording()).split("\n");
    const shim = await loadShim();
    for (let i = 1; i < lines.length - 2; i++) {
      const value = JSON.parse(lines[i] as string) as Record<string, unknown>;
      for (const [name, inner] of Object.entries(value)) {
        if (typeof inner !== "object" || inner === null) continue;
        for (const field of Object.keys(inner)) {
          const damaged = { ...value, [name]: { ...inner, [field]: field === "atNs" ? 1e300 : { a: [null] } } };
          const text = [...lines.slice(0, i), JSON.stringify(damaged), ...lines.slice(i + 1)].join("\n");
          let recording: ReturnType<typeof readRecording>;
          try {
            recording = readRecording(new TextEncoder().encode(text));
          } catch (error) {
            expect(error).toBeInstanceOf(FlightDataError);
            continue;
          }
          await replay(recording, shim);
        }
      }
    }
  });

  test("tells scripts by its exit code", async () => {
    const folder = mkdtempSync(join(tmpdir(), "dahdi-flight-"));
    const shim = await loadShim();
    const path = join(folder, "a.jsonl");
    const text = await aRecording();
    writeFileSync(path, text);
    const same = await replayFile(path, true, shim);
    expect(same.code).toBe(0);
    expect(JSON.parse(same.out)).toMatchObject({ same: true, refusals: [], counts: { missing: 0, extra: 0 } });
    writeFileSync(path, text.replaceAll('"type":"dtmf","digit":"5"', '"type":"dtmf","digit":"6"'));
    const other = await replayFile(path, false, shim);
    expect([other.code, other.out]).toEqual([1, expect.stringMatching(/~ .*digit=6.*digit=5.*\(digit\)/)]);
    writeFileSync(path, text.slice(0, -20));
    expect(await replayFile(path, false, shim)).toMatchObject({
      code: 65,
      out: "",
      complaint: expect.stringContaining("cut off"),
    });
    expect(await replayFile(join(folder, "none"), false, shim)).toMatchObject({ code: 66, out: "" });
    rmSync(folder, { recursive: true });
  });
});

describe("when a line is lost", () => {
  const logged: unknown[] = [];
  const log = {
    info: (message: string) => void logged.push(message),
    error: (message: string, fields: object) => void logged.push([message, fields]),
  };

  test("the newest ten are kept, one a minute, whole, and for their owner alone", async () => {
    const folder = join(mkdtempSync(join(tmpdir(), "dahdi-flight-")), "flight");
    let passedMs = 0;
    const due: (() => void)[] = [];
    const files = new FlightFiles({
      folder,
      recorder: {
        dump: function* ({ reason }: { reason: string }) {
          yield `${reason}\n`;
        } as never,
      },
      nowMs: () => Date.UTC(2026, 0, 1) + passedMs,
      nowNs: () => passedMs * 1e6,
      after: (_, call) => due.push(call),
      log,
    });
    for (let i = 0; i < 24; i++) {
      for (const line of [i, 100 + i]) files.lineReady(line);
      files.lineLost(i);
      files.lineLost(100 + i); // in the same minute
      for (const call of due.splice(0)) call();
      await files.settled();
      passedMs += 30_000;
    }
    const names = readdirSync(folder).sort();
    expect(names.length).toBe(10);
    const reasons = names.map((name) => gunzipSync(readFileSync(join(folder, name))).toString());
    expect(reasons[0]).toBe("line 4 was lost\n");
    expect(reasons[9]).toBe("line 22 was lost\n");
    expect(statSync(join(folder, names[0] as string)).mode & 0o777).toBe(0o600);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    rmSync(folder, { recursive: true });
  });

  test("a clock that is set, far and back, or not yet, costs none", async () => {
    const folder = join(mkdtempSync(join(tmpdir(), "dahdi-flight-")), "flight");
    let [nowMs, nowNs] = [0, 0];
    const due: (() => void)[] = [];
    const recorder = {
      dump: function* ({ reason }: { reason: string }) {
        yield `${reason}\n`;
      } as never,
    };
    const after = (_: number, call: () => void): unknown => due.push(call);
    const files = new FlightFiles({ folder, recorder, nowMs: () => nowMs, nowNs: () => nowNs, after, log });
    const newest = async (line: number): Promise<string> => {
      files.lineReady(line);
      files.lineLost(line);
      for (const call of due.splice(0)) call();
      await files.settled();
      nowNs += 61e9;
      return readdirSync(folder)
        .map((name) => gunzipSync(readFileSync(join(folder, name))).toString())
        .join("");
    };
    nowMs = Date.UTC(2099, 0, 1);
    expect(await newest(1)).toContain("line 1 was lost");
    nowMs = Date.UTC(2026, 0, 1);
    expect(await newest(2)).toContain("line 2 was lost");
    for (let line = 3; line < 15; line++) {
      nowMs += 3_600_000;
      await newest(line);
    }
    expect(readdirSync(folder)).toHaveLength(10);
    nowMs = 40_000;
    expect(await newest(20)).toContain("line 20 was lost");
    expect(readdirSync(folder)).toHaveLength(10);
    rmSync(folder, { recursive: true });
  });

  test("a disk that refuses is logged, and leaves nothing half", async () => {
    const folder = mkdtempSync(join(tmpdir(), "dahdi-flight-"));
    const due: (() => void)[] = [];
    const files = new FlightFiles({
      folder,
      recorder: {
        dump: function* () {
          yield "half";
          throw Object.assign(new Error("full"), { code: "ENOSPC" });
        } as never,
      },
      nowMs: () => 0,
      nowNs: () => 0,
      after: (_, call) => due.push(call),
      log,
    });
    files.lineLost(1);
    expect(due).toEqual([]); // it never was in service: there is no card
    files.lineReady(1);
    files.lineLost(1);
    due[0]?.();
    await files.settled();
    expect(logged.at(-1)).toEqual([
      "a flight recording could not be kept",
      { error: "ENOSPC", reason: "line 1 was lost" },
    ]);
    expect(readdirSync(folder)).toEqual([]);
    chmodSync(folder, 0o700);
    rmSync(folder, { recursive: true });
  });
});
