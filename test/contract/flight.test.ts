/** The flight recorder of a running server, and what replay makes of its recordings. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EventListener, get, type Json, post, simulatedTelephone } from "../support/client";
import { eventually, type RunningServer, serverCommand, startServer } from "../support/server";
import { noise } from "../support/stepped";

let server: RunningServer;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "dahdi-flight-"));
  server = await startServer({
    arguments: ["--simulate=3", "--config", `${import.meta.dir}/flight.yml`],
    stateDir: folder,
  });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

interface Replayed {
  code: number;
  out: string;
  complaint: string;
}

async function replay(...words: string[]): Promise<Replayed> {
  const child = Bun.spawn([...serverCommand(), "replay", ...words], { stdout: "pipe", stderr: "pipe" });
  const [out, complaint] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  return { code: await child.exited, out, complaint };
}

interface Pair {
  verdict: string;
  recorded: Json | null;
  replayed: Json | null;
  notes: string[];
}

/** What a busy machine makes late is no difference here; all else is. */
const isLateness = (note: string): boolean =>
  ["time", "duration", "startMs", "endMs"].includes(note) || note.endsWith("_ms");

async function replayedPairs(path: string): Promise<Pair[]> {
  const { out, complaint } = await replay(path, "--json");
  expect(complaint).toBe("");
  const report = JSON.parse(out) as { notes: string[]; refusals: string[]; events: Pair[] };
  expect([report.notes, report.refusals]).toEqual([[], []]);
  const different = report.events.filter(
    ({ verdict, notes }) =>
      verdict === "missing" ||
      verdict === "extra" ||
      (verdict === "other" && notes.some((note) => !isLateness(note))),
  );
  expect(different).toEqual([]);
  return report.events;
}

const typesOf = (pairs: Pair[]): unknown[] => pairs.map(({ recorded }) => recorded?.type);

async function recording(query = ""): Promise<string> {
  const response = await fetch(`${server.rest}/diagnostics/flight-recorder${query}`);
  expect(response.headers.get("content-type")).toBe("application/x-ndjson");
  const path = join(folder, `recording${query.replaceAll(/\W/g, "")}.jsonl`);
  writeFileSync(path, await response.text());
  return path;
}

describe("what telephones did", () => {
  test("happens again, out of its keys or out of its sound", async () => {
    const telephone = simulatedTelephone(server, 1);
    using events = await EventListener.open(`${server.websocket}?line=1`);
    await post(`${server.rest}/lines/1/ring`, { caller_id: { name: "Zoë Müller", number: "+1 202 555 0100" } });
    await events.event("ring_start");
    await telephone.lift();
    await events.event("off_hook", { answered: true });
    expect((await post(`${server.rest}/lines/1/ring`)).status).toBe(409);
    await post(`${server.rest}/lines/1/generate-tone`, { frequency: 440, duration: 300 });
    await events.event("playback_finished");
    await telephone.speak(Int16Array.from(noise(8000, 7, 6000)));
    await events.event("voice", { active: false });
    await telephone.press("47");
    await events.event("dtmf", { digit: "7" });
    await telephone.hangUp();
    await events.event("on_hook");
    const quiet = await replayedPairs(await recording());
    const sounding = await replayedPairs(await recording("?audio=true"));
    for (const pairs of [quiet, sounding])
      expect(typesOf(pairs)).toEqual(
        expect.arrayContaining([
          "ring_start",
          "ring_stop",
          "off_hook",
          "playback_finished",
          "dtmf",
          "voice",
          "on_hook",
        ]),
      );
    // The sound itself is what was heard again: no key was pressed in the replay.
    const text = await Bun.file(join(folder, "recordingaudiotrue.jsonl")).text();
    expect(text.match(/"sound":/g)?.length).toBeGreaterThan(50);
    expect(await Bun.file(join(folder, "recording.jsonl")).text()).not.toContain('"sound":{');
  });

  test("is kept by itself when a line is lost, for its owner alone", async () => {
    const telephone = simulatedTelephone(server, 2);
    await telephone.lift();
    await telephone.press("8");
    await telephone.unplug();
    const kept = (): string[] => {
      try {
        return readdirSync(join(folder, "flight")).filter((name) => name.endsWith(".jsonl.gz"));
      } catch {
        return []; // not yet
      }
    };
    const [name = ""] = await eventually(kept, (names) => names.length === 1);
    const path = join(folder, "flight", name);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const pairs = await replayedPairs(path);
    expect(typesOf(pairs)).toEqual(expect.arrayContaining(["dtmf", "error"]));
    await telephone.plug();
  });

  test("is told to people as two columns, and to scripts by the exit code", async () => {
    const path = await recording();
    const { code, out } = await replay(path);
    expect(out).toMatch(/recorded +replayed +offset/);
    expect([0, 1]).toContain(code);
    const text = await Bun.file(path).text();
    const changed = join(folder, "changed.jsonl");
    writeFileSync(changed, text.replaceAll('"type":"dtmf","digit":"4"', '"type":"dtmf","digit":"5"'));
    const other = await replay(changed);
    expect([other.code, other.out]).toEqual([1, expect.stringMatching(/~ .*digit=5.*digit=4.*digit/)]);
    const cut = join(folder, "cut.jsonl");
    writeFileSync(cut, text.slice(0, text.length / 2));
    expect(await replay(cut)).toMatchObject({ code: 65, out: "" });
    expect(await replay(join(folder, "none.jsonl"))).toMatchObject({ code: 66, out: "" });
    expect((await replay()).code).toBe(64);
    expect((await replay(path, "--bogus")).code).toBe(64);
  });

  test("stands in the bundle without digits, callers and sound", async () => {
    const zip = new Uint8Array(await (await fetch(`${server.rest}/diagnostics/bundle`)).arrayBuffer());
    const { unzipSync } = await import("fflate");
    const text = new TextDecoder().decode(unzipSync(zip)["flight.jsonl"]);
    expect(text).toContain('"kind":"dtmf_up","digit":"x"');
    expect(text).not.toMatch(/Zoë|5550100|555 0100|"digit":"[0-9]|"sound":\{/);
    const path = join(folder, "masked.jsonl");
    writeFileSync(path, text);
    await replayedPairs(path);
  });
});

describe("GET /diagnostics/flight-recorder", () => {
  test("says what is not kept", async () => {
    await using quiet = await startServer({ arguments: ["--simulate=1"] });
    const { status, body } = await get(`${quiet.rest}/diagnostics/flight-recorder?audio=true`);
    expect([status, body.code]).toEqual([422, "invalid_input"]);
    expect((await fetch(`${quiet.rest}/diagnostics/flight-recorder`)).status).toBe(200);
  });

  test("many who never read are bounded", async () => {
    const url = `${server.rest}/diagnostics/flight-recorder?audio=true`;
    const stop = new AbortController();
    const answers = await Promise.all(Array.from({ length: 8 }, () => fetch(url, { signal: stop.signal })));
    expect(answers.every(({ status }) => status === 200 || status === 429)).toBe(true);
    stop.abort();
    await eventually(
      async () => {
        const answer = await fetch(url);
        await answer.arrayBuffer();
        return answer.status;
      },
      (status) => status === 200,
    );
  });
});
