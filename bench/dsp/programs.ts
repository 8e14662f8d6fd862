/** The programs of the bench, run one at a time, and what they say in types. */
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export const ROOT = join(import.meta.dir, "../..");
export const DETECTORS = ["ours", "spandsp", "goertzel"] as const;

const PROGRAMS = join(ROOT, "build/bench/dsp");
const CORPUS = join(ROOT, "build/corpus");
const BYTES_PER_SECOND = 16_000; // S16 at 8 kHz
const LANGUAGES = ["en", "es", "fr", "it", "ru"];

/** Numbers are in the order of DETECTORS. */
export interface Axis {
  axis: string;
  unit: string;
  /** Part of the groups exactly right: the digits sent, or none where they must be refused. */
  curve: { x: number; rate: number[] }[];
  required: number;
  outwards: 1 | -1;
  reject: boolean;
  met: boolean;
  /** The last x, going outwards, up to which 99 % of the groups came out right. */
  limit: (number | null)[];
  atRequired: number[];
}
export interface Timing {
  timing: string;
  required: number;
  met: boolean;
  onsetMs: (number | null)[];
  durationMs: (number | null)[];
}
export interface TalkOff {
  name: string;
  hours: number;
  digits: number[];
}
export interface VoiceScore {
  condition: string;
  detector: string;
  f1: number;
  balancedAccuracy: number;
  onsetMs: number | null;
}

/** Output goes on to the terminal unless it is wanted. A program that fails ends the bench. */
async function run(command: string[], wanted: boolean): Promise<string> {
  const child = Bun.spawn(command, {
    cwd: ROOT,
    stdin: "ignore",
    stdout: wanted ? "pipe" : "inherit",
    stderr: "pipe",
  });
  const [out, errors] = await Promise.all([
    child.stdout ? new Response(child.stdout).text() : "",
    new Response(child.stderr).text(),
  ]);
  if ((await child.exited) !== 0) throw new Error(`${command.slice(0, 3).join(" ")} …: ${errors.slice(-500)}`);
  return out + errors;
}

export async function axes(groups: number, options: string[] = []): Promise<{ axes: Axis[]; timings: Timing[] }> {
  const path = join(PROGRAMS, "axes.jsonl");
  await run([join(PROGRAMS, "bench_dtmf"), "--groups", String(groups), "--json", path, ...options], false);
  const found: { axes: Axis[]; timings: Timing[] } = { axes: [], timings: [] };
  for (const line of readFileSync(path, "utf8").split("\n").filter(Boolean)) {
    const measured: Axis | Timing = JSON.parse(line);
    if ("axis" in measured) found.axes.push(measured);
    else found.timings.push(measured);
  }
  return found;
}

export const fetchCorpus = (synthetic: boolean): Promise<string> =>
  run(["sh", "bench/dsp/fetch.sh", ...(synthetic ? ["--synthetic"] : [])], false);

/** What fetch.sh has gathered, by folder and extension; empty files are those that could not be made. */
export const recordings = (folder: "raw" | "synthetic", extension: string): string[] =>
  readdirSync(join(CORPUS, folder))
    .filter((name) => name.endsWith(extension))
    .map((name) => join(CORPUS, folder, name))
    .filter((path) => statSync(path).size > 0)
    .sort();

export const voices = (): string[] =>
  (process.env.VOICES || LANGUAGES.map((language) => `build/corpus/${language}.list`).join(" "))
    .split(" ")
    .filter((list) => existsSync(join(ROOT, list)));

export async function talkOff(name: string, files: string[], options: string[] = []): Promise<TalkOff> {
  const said = await run([join(PROGRAMS, "talkoff"), ...options, ...files], true);
  const hours = Number(/([\d.]+) h:/.exec(said)?.[1]);
  return { name, hours, digits: DETECTORS.map((name) => Number(new RegExp(`${name} (\\d+)`).exec(said)?.[1])) };
}

/** So many seconds from the beginning of each raw file. */
export const excerpt = (name: string, files: string[], secondsOfEach: number): string =>
  written(
    name,
    files.map((file) => readFileSync(file).subarray(0, secondsOfEach * BYTES_PER_SECOND)),
  );
export const silence = (name: string, seconds: number): string =>
  written(name, [Buffer.alloc(seconds * BYTES_PER_SECOND)]);

function written(name: string, samples: Buffer[]): string {
  const path = join(PROGRAMS, name);
  writeFileSync(path, Buffer.concat(samples));
  return path;
}

/** Instructions inside a function, by callgrind, a sample of the raw file. */
async function instructionsPerSample(inside: string, command: string[], raw: string): Promise<number> {
  const options = ["--tool=callgrind", "--callgrind-out-file=/dev/null", `--toggle-collect=${inside}`];
  const said = await run(["valgrind", ...options, ...command, raw], true);
  return Number(/Collected : (\d+)/.exec(said)?.[1]) / (statSync(raw).size / 2);
}

/** The call of each detector alone; of Goertzel, which is all in one function, all. */
export const dtmfInstructions = (raw: string): Promise<number[]> =>
  inOrder(["dsp_dtmf_process", "dtmf_rx", "hear"], (inside, i) =>
    instructionsPerSample(inside, [join(PROGRAMS, "talkoff"), "--only", DETECTORS[i] ?? ""], raw),
  );

export const VOICE_SAMPLES_PER_FRAME = 160;
export const voiceInstructions = async (detector: string, inside: string, raw: string): Promise<number> =>
  VOICE_SAMPLES_PER_FRAME *
  (await instructionsPerSample(inside, [join(PROGRAMS, "vad_bench"), "--only", detector], raw));

async function inOrder<T>(names: string[], measure: (name: string, i: number) => Promise<T>): Promise<T[]> {
  const values: T[] = [];
  for (const [i, name] of names.entries()) values.push(await measure(name, i));
  return values;
}

export async function voice(secondsOfEach: number, lists: string[]): Promise<VoiceScore[]> {
  const path = join(PROGRAMS, "voice.csv");
  await run([join(PROGRAMS, "vad_bench"), path, String(secondsOfEach), ...lists], false);
  return readFileSync(path, "utf8")
    .trim()
    .split("\n")
    .slice(1)
    .map((line) => {
      const [condition = "", detector = "", f1, balancedAccuracy, onsetMs] = line.split(",");
      return {
        condition,
        detector,
        f1: Number(f1),
        balancedAccuracy: Number(balancedAccuracy),
        onsetMs: onsetMs ? Number(onsetMs) : null,
      };
    });
}
