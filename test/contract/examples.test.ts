/** The programs of examples/ that no other test runs, each as its reader would run it. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeWav } from "../../src/audio/wav";
import { EventListener, get, type Json, simulatedTelephone } from "../support/client";
import { needs } from "../support/needs";
import { eventually, ROOT, type RunningServer, startServer } from "../support/server";
import { toneSamples } from "../support/tones";

const PYTHON = "/usr/bin/python3";
const withPython = needs(
  Bun.spawnSync([PYTHON, "-c", "import httpx, websockets"], { stderr: "ignore" }).exitCode === 0,
  "sudo apt-get install python3-httpx python3-websockets",
);
const folder = mkdtempSync(join(tmpdir(), "dahdi-examples-"));
const greeting = join(folder, "greeting.wav");

let server: RunningServer;
beforeAll(async () => {
  server = await startServer({ arguments: ["--simulate=4"] });
  writeFileSync(greeting, encodeWav(toneSamples("5", { on_ms: 300 })));
}, 120_000);
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});

/** A program of examples/, and what it has printed. */
class Example implements AsyncDisposable {
  #said = "";
  readonly #child;

  constructor(...command: string[]) {
    this.#child = Bun.spawn(command, {
      cwd: folder,
      env: { ...process.env, PYTHONUNBUFFERED: "1" },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "inherit",
    });
    const { stdout } = this.#child;
    void (async () => {
      for await (const chunk of stdout) this.#said += new TextDecoder().decode(chunk);
    })();
  }

  says(words: string): Promise<string> {
    return eventually(
      () => this.#said,
      (text) => text.includes(words),
    );
  }

  get ended(): Promise<number> {
    return this.#child.exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill();
    await this.#child.exited;
  }
}
const program = (name: string): string => join(ROOT, "examples", name);

describe("examples/", () => {
  withPython("audio_guestbook.py greets, records until #, and writes its gallery", async () => {
    const gallery = join(folder, "gallery.html");
    const more = ["--gallery", gallery, "--api", server.rest];
    await using guestbook = new Example(PYTHON, program("audio_guestbook.py"), greeting, ...more);
    await guestbook.says("lift the handset");
    const phone = simulatedTelephone(server, 1);
    using events = await EventListener.open(`${server.websocket}?line=1`);
    await phone.lift();
    await events.event("recording_started");
    await phone.speak(toneSamples("1", { on_ms: 1500 }));
    await phone.press("#");
    await guestbook.says("finish_key");
    await guestbook.says("1 entries");
    await phone.hangUp();
    const { recordings } = (await get(`${server.rest}/recordings`)).body as { recordings: Json[] };
    const [entry] = recordings;
    expect(Number(entry?.duration_ms)).toBeGreaterThan(1400);
    expect(readFileSync(gallery, "utf8")).toContain(`${server.rest}/recordings/${entry?.id}/audio`);
  });

  withPython("print_events.py prints what the telephone does", async () => {
    await using printer = new Example(PYTHON, program("print_events.py"), server.websocket);
    await printer.says("listening on");
    const phone = simulatedTelephone(server, 2);
    await phone.lift();
    await phone.press("7");
    await printer.says("dtmf {'digit': '7'");
    await phone.hangUp();
    await printer.says("on_hook");
  });

  test("play_file.sh plays when the handset is lifted", async () => {
    await using player = new Example("sh", program("play_file.sh"), greeting, server.rest);
    using events = await EventListener.open(`${server.websocket}?line=1`);
    await eventually(
      () => get(`${server.rest}/playbacks`),
      ({ body }) => (body.playbacks as Json[]).some(({ state }) => state === "waiting"),
    );
    const phone = simulatedTelephone(server, 1);
    await phone.lift();
    expect(await player.ended).toBe(0);
    await player.says('"reason":"completed"');
    expect(await events.event("playback_finished")).toMatchObject({ reason: "completed" });
    await phone.hangUp();
  });

  test("each says so when no server is there", async () => {
    const nowhere = "http://127.0.0.1:9"; // discard: nobody listens
    const runs = [
      ["sh", program("play_file.sh"), greeting, nowhere],
      [process.execPath, program("ring_until_answered.ts"), nowhere],
    ];
    for (const run of runs) {
      const { exitCode, stderr } = Bun.spawnSync(run, { stdin: "ignore", stdout: "ignore", stderr: "pipe" });
      expect([exitCode === 0, stderr.toString()]).toEqual([false, expect.stringContaining("127.0.0.1")]);
    }
  });

  test("ring_until_answered.ts rings, and answers with a tone", async () => {
    await using ringer = new Example(process.execPath, program("ring_until_answered.ts"), server.rest);
    await ringer.says("ringing:");
    using events = await EventListener.open(`${server.websocket}?line=1`);
    const phone = simulatedTelephone(server, 1);
    await phone.lift();
    await ringer.says("answered");
    await events.event("playback_started");
    expect(await ringer.ended).toBe(0);
    await phone.hangUp();
  });
});
