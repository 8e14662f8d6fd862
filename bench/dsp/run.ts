/**
 * `make bench-dsp`: the DTMF detector beside spandsp and Goertzel, the voice detector beside WebRTC's, on the same
 * samples. Prints a table of what must be met and ends with 1 when something of ours is not. Four minutes; FULL=1
 * takes twenty.
 *   bun bench/dsp/run.ts [axes] [talk-off] [cost] [voice]
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join, relative } from "node:path";
import { drawCurves, drawVoice } from "./curves";
import * as programs from "./programs";
import {
  axisRows,
  bestMode,
  costRow,
  lawRow,
  markdown,
  type Row,
  type Table,
  talkOffRow,
  voiceTable,
} from "./table";

const PARTS = ["axes", "talk-off", "cost", "voice"];
const SPEEDS = "0.8,0.825,0.85,0.875,0.9,0.925,0.95,0.975,1,1.025,1.05,1.075,1.1,1.13,1.17,1.21,1.25";
const SPEED_COUNT = SPEEDS.split(",").length;
/** Digits that may be heard in recordings replayed too slowly or too fast. At their own speed none may. */
const MOST_REPLAYED = 3;

const full = process.env.FULL === "1";
const groups = full ? 1000 : 200;
const seed = process.env.SEED || "1";
const startedAt = performance.now();
const asked = process.argv.slice(2);
const unknown = asked.filter((part) => !PARTS.includes(part));
if (unknown.length > 0) {
  console.error(`no part ${unknown.join(", ")}: there are ${PARTS.join(", ")}`);
  process.exit(2);
}
const parts = asked.length > 0 ? asked : PARTS;
const skipped: string[] = [];
const results: Record<string, unknown> = { full, groups, seed };
const tables: Table[] = [];
const pictures: string[] = [];

function say(what: string): void {
  console.log(`[${((performance.now() - startedAt) / 1000).toFixed(0).padStart(4)} s] ${what}`);
}
function skip(what: string): void {
  skipped.push(what);
  console.log(`# SKIP ${what}`);
}
const dist = (name: string): string => join(programs.ROOT, "dist", name);

async function picture(draw: (path: string) => Promise<void>, name: string): Promise<void> {
  if (!Bun.which("gnuplot")) return skip(`${name}: needs gnuplot-nox`);
  await draw(dist(name));
  pictures.push(name);
}

async function measureAxes(): Promise<Row[]> {
  say(`axes: ${groups} groups at each point, seed ${seed}`);
  const { axes, timings } = await programs.axes(groups, ["--seed", seed]);
  const rows = axisRows(axes, timings);
  for (const [law, number] of [
    ["G.711 µ-law", "1"],
    ["G.711 A-law", "2"],
  ] as const) {
    say(`axes through ${law}`);
    const through = await programs.axes(groups, ["--seed", seed, "--law", number, "--required", "--ours"]);
    rows.push(lawRow(law, through.axes));
    results[law] = through.axes;
  }
  Object.assign(results, { axes, timings });
  await picture((path) => drawCurves(axes, path), "dsp-curves.png");
  return rows;
}

async function countTalkOff(): Promise<Row[]> {
  const raw = programs.recordings("raw", ".raw");
  const g722 = programs.recordings("raw", ".g722");
  const synthetic = full ? programs.recordings("synthetic", ".raw") : [];
  const speeds = ["--speeds", SPEEDS];
  const plan: [name: string, files: string[], options: string[], most: number][] = [
    ["recorded speech and music", raw, [], 0],
    ["the same through µ-law", raw, ["--law", "1"], 0],
    ["the same through A-law", raw, ["--law", "2"], 0],
    ["other recordings, G.722", g722, ["--g722"], 0],
    [`recorded, at ${SPEED_COUNT} speeds`, raw, speeds, MOST_REPLAYED],
  ];
  if (full)
    plan.push(
      [`recorded, µ-law, at ${SPEED_COUNT} speeds`, raw, [...speeds, "--law", "1"], MOST_REPLAYED],
      [`recorded, A-law, at ${SPEED_COUNT} speeds`, raw, [...speeds, "--law", "2"], MOST_REPLAYED],
      [`G.722, at ${SPEED_COUNT} speeds`, g722, [...speeds, "--g722"], MOST_REPLAYED],
      ["synthetic voices", synthetic, [], 0],
      [`synthetic voices, at ${SPEED_COUNT} speeds`, synthetic, speeds, MOST_REPLAYED],
    );
  const counts: programs.TalkOff[] = [];
  const rows: Row[] = [];
  for (const [name, files, options, most] of plan) {
    if (files.length === 0) {
      skip(`talk-off: ${name}: there are none`);
      continue;
    }
    say(`talk-off: ${name}`);
    const counted = await programs.talkOff(name, files, options);
    counts.push(counted);
    rows.push(talkOffRow(counted, most));
  }
  results.talkOff = counts;
  return rows;
}

/** A file of each voice. */
const speech = (): string[] =>
  programs.recordings("raw", "-wav.raw").filter((path) => path.includes("core-sounds"));

async function countInstructions(): Promise<Row[]> {
  if (!Bun.which("valgrind")) {
    skip("instructions per sample: needs valgrind");
    return [];
  }
  const plan: [name: string, raw: string, most: number][] = [
    ["silent line", programs.silence("silence.raw", 100), 2],
  ];
  if (speech().length > 0) plan.unshift(["recorded speech", programs.excerpt("speech.raw", speech(), 100), 12]);
  else skip("instructions per sample of speech: there is none");
  const rows: Row[] = [];
  const counts: Record<string, number[]> = {};
  for (const [name, raw, most] of plan) {
    say(`instructions per sample: ${name}`);
    const instructions = await programs.dtmfInstructions(raw);
    counts[name] = instructions;
    rows.push(costRow(name, instructions, most));
  }
  results.instructionsPerSample = counts;
  return rows;
}

async function measureVoice(): Promise<void> {
  const lists = programs.voices();
  if (lists.length === 0) return skip("voice activity: there is no recorded speech");
  const secondsOfEach = full ? 900 : 300;
  say(`voice activity: ${lists.length} voices, ${secondsOfEach} s of each in every condition`);
  const scores = await programs.voice(secondsOfEach, lists);
  const instructions = new Map<string, number>();
  if (Bun.which("valgrind") && speech().length > 0) {
    say("instructions per frame");
    const raw = programs.excerpt("voice.raw", speech(), 40);
    const mode = bestMode(scores);
    instructions.set("ours", await programs.voiceInstructions("ours", "dsp_vad_process", raw));
    if (mode) instructions.set(mode, await programs.voiceInstructions(mode, "WebRtcVad_Process", raw));
    else skip("WebRTC: needs libwebrtc-audio-processing1");
  } else skip("instructions per frame: needs valgrind and recorded speech");
  Object.assign(results, { voice: scores, instructionsPerFrame: Object.fromEntries(instructions) });
  tables.push(voiceTable(scores, instructions));
  await picture((path) => drawVoice(scores, path), "vad-conditions.png");
}

function report(): string {
  const date = new Date().toISOString().slice(0, 10);
  const machine = cpus()[0]?.model ?? "unknown";
  return [
    "# Detectors beside their peers",
    "",
    `Measured ${date} on ${machine}, ${groups} groups of ten digits at each point, seed ${seed}. A limit is the last`,
    "value up to which 99 % of the groups came out exactly right; a digit too many is wrong too.",
    "",
    ...tables.map(markdown),
    ...skipped.map((what) => `- SKIPPED ${what}`),
    ...pictures.map((name) => `![${name}](${name})`),
    "",
  ].join("\n");
}

mkdirSync(dist(""), { recursive: true });
say(`parts: ${parts.join(", ")}${full ? ", in full" : "; FULL=1 measures more"}`);
if (parts.some((part) => part !== "axes")) {
  say("recordings, from Debian's packages");
  await programs.fetchCorpus(full && parts.includes("talk-off"));
}
const dtmf: Row[] = [];
if (parts.includes("axes")) dtmf.push(...(await measureAxes()));
if (parts.includes("talk-off")) dtmf.push(...(await countTalkOff()));
if (parts.includes("cost")) dtmf.push(...(await countInstructions()));
if (dtmf.length > 0) tables.push({ title: "DTMF", peers: ["spandsp", "Goertzel"], rows: dtmf });
if (parts.includes("voice")) await measureVoice();

const text = report();
writeFileSync(dist("dsp-report.md"), text);
const json = join(programs.ROOT, "build/bench/dsp.json");
writeFileSync(json, `${JSON.stringify({ ...results, tables, skipped }, null, 1)}\n`);
say("done");
console.log(`\n${text}`);
const files = [dist("dsp-report.md"), json, ...pictures.map(dist)].map((path) => relative(programs.ROOT, path));
console.log(files.join("  "));
const missed = tables.flatMap(({ rows }) => rows).filter(({ met }) => !met);
for (const { axis, ours, must } of missed) console.log(`NOT MET: ${axis}: ${ours}, must ${must}`);
process.exit(missed.length > 0 || (process.env.CI === "true" && skipped.length > 0) ? 1 : 0);
