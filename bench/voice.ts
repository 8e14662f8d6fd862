/**
 * `make bench`: live audio by WebSocket. What is said into a simulated microphone goes to a client in a process of its
 * own, which says it back, and so into the ear. The recording of both sides has mouth and ear on one clock, the card's:
 * where an utterance stands in one and in the other is the delay, to the sample.
 *   bun bench/voice.ts [--minutes=10] [--source] [--fifo]
 * Server and client run with the service's niceness, where we are root, and with --fifo before all other programs: the
 * flood has its processes on this machine too, and is not to be measured. How late the machine wakes a process that
 * only sleeps is measured beside.
 */
import { join } from "node:path";
import { post, postBytes, simulatedTelephone } from "../test/support/client";
import { bestLag } from "../test/support/correlation";
import { soundOf } from "../test/support/recordings";
import { ROOT, type RunningServer, startServer } from "../test/support/server";
import { find, noise } from "../test/support/stepped";
import { startChild } from "./child";
import { Figures, percentile } from "./figures";

const SAMPLES_PER_MS = 8;
const PLAYED_SAMPLES = 40_000;
const UTTERANCE_SAMPLES = 1600;
const UTTERANCE_EVERY_MS = 1000;
/** Speech as it is spoken: no delay stays behind. */
const LIVE = "?max_buffer_ms=200";
/** Of a client that starts: what its first frames were late by goes two seconds later. */
const WARM_UP_MS = 5000;
const MAX_DELAY_SAMPLES = 4000;
const BAR_DELAY = "<= 60";
const BAR_CPU = "<= 15";

const minutes = Number(/--minutes=([\d.]+)/.exec(process.argv.join(" "))?.[1] ?? 1);
const asService = process.getuid?.() === 0 ? ["nice", "-n", "-10"] : [];
const first = process.argv.includes("--fifo") ? ["chrt", "-f", "1"] : asService;
const command = process.argv.includes("--source")
  ? [process.execPath, join(ROOT, "src/main.ts")]
  : [join(ROOT, "dist/dahdi-phone-api-linux-x64")];

const figures = new Figures();
const figure = figures.add.bind(figures);

const start = (lines: number): Promise<RunningServer> =>
  startServer({
    command: [...first, ...command],
    arguments: [`--simulate=${lines}`, `--config=${join(ROOT, "bench/voice.yml")}`],
  });
const audioUrl = (server: RunningServer, line: number, query = ""): string =>
  `${server.rest.replace("http:", "ws:")}/lines/${line}/audio${query}`;

interface BotStats {
  underruns: number;
  dropped_samples: number;
  lost_samples: number;
  frames_in: number;
  frames_out: number;
}

interface EchoBot {
  stats(): Promise<BotStats[]>;
  stop(): Promise<void>;
}

async function echoBot(urls: string[]): Promise<EchoBot> {
  const { say, line, end } = await startChild("echo_bot.ts", urls, first);
  return {
    stats: async () => {
      say("stats");
      return JSON.parse(await line()) as BotStats[];
    },
    stop: end,
  };
}

/** Raw sound has two bytes a sample: this is read to its end, and was refused at its beginning. */
const ODD_UPLOAD = new Uint8Array(20_000_001);
/** Refused as well, once it has been parsed. */
const GARBAGE = { pattern: Array.from({ length: 15_000 }, (_, i) => [i]) };

/** Returns how to learn by how much, at worst, ms. */
async function lateWakeups(): Promise<() => Promise<number>> {
  const { say, line, end } = await startChild("late_wakeups.ts", [], first);
  await Bun.sleep(500); // what it takes to start is not the machine's
  say("anew");
  return async () => {
    const ended = end();
    const worstMs = Number(await line());
    await ended;
    return worstMs;
  };
}

interface Heard {
  delaysMs: number[];
  /** Utterances that did not come back as they were said. */
  garbled: number;
}

/** Speaks for a while, and measures every utterance's way from the mouth to the ear. */
async function speak(server: RunningServer, line: number, durationMs: number): Promise<Heard> {
  const phone = simulatedTelephone(server, line);
  const base = `${server.rest}/lines/${line}`;
  const { body } = await post(`${base}/record`, { source: "both", trim: false });
  const utterances: Int16Array<ArrayBuffer>[] = [];
  const until = performance.now() + durationMs;
  while (performance.now() < until) {
    const utterance = noise(UTTERANCE_SAMPLES, utterances.length + 1, 6000) as Int16Array<ArrayBuffer>;
    utterances.push(utterance);
    await phone.speak(utterance);
    await Bun.sleep(UTTERANCE_EVERY_MS - UTTERANCE_SAMPLES / SAMPLES_PER_MS);
  }
  await post(`${base}/record/stop`);
  const wav = await (await fetch(`${server.rest}/recordings/${body.recording_id}/audio`)).arrayBuffer();
  const { caller: mouth, played: ear } = soundOf(new Uint8Array(wav));
  if (!ear) throw new Error("the recording is not of both sides");
  let from = 0;
  const found = utterances.map((utterance) => {
    const said = from + find(mouth.subarray(from), utterance);
    if (said < from) throw new Error("what was said is not in the recording");
    from = said + UTTERANCE_SAMPLES;
    return bestLag(ear.subarray(said, from + MAX_DELAY_SAMPLES), utterance);
  });
  const whole = found.filter(({ likeness }) => likeness >= 0.99);
  return { delaysMs: whole.map(({ lag }) => lag / SAMPLES_PER_MS), garbled: found.length - whole.length };
}

async function mouthToEar(bufferMs: number | null): Promise<void> {
  await using server = await start(1);
  await simulatedTelephone(server, 1).lift();
  const bot = await echoBot([audioUrl(server, 1, bufferMs === null ? LIVE : `${LIVE}&buffer_ms=${bufferMs}`)]);
  await Bun.sleep(WARM_UP_MS);
  const late = await lateWakeups();
  const { delaysMs, garbled } = await speak(server, 1, 10_000);
  const lateMs = await late();
  await bot.stop();
  const name = `mouth to ear through an echoing client${bufferMs === null ? "" : `, buffer_ms=${bufferMs}`}`;
  figure(`${name}, p50`, percentile(delaysMs, 0.5), "ms", BAR_DELAY);
  figure(`${name}, worst`, percentile(delaysMs, 1), "ms", BAR_DELAY);
  figure(`${name}, garbled utterances`, garbled, "", "0");
  figure("  an idle process was woken late meanwhile by", lateMs, "ms at worst");
}

/** Returns its pages a second. A flood of pages of events, long bodies that are refused, and JSON of many small arrays: work for the collector. */
async function storm(server: RunningServer, durationMs: number): Promise<number> {
  const until = performance.now() + durationMs;
  const flood = Bun.spawn(
    ["wrk", "-t1", "-c32", `-d${Math.ceil(durationMs / 1000)}s`, `${server.rest}/events?limit=1000`],
    { stdout: "pipe", stderr: "inherit" },
  );
  while (performance.now() < until) {
    await postBytes(`${server.rest}/play-audio`, ODD_UPLOAD);
    await post(`${server.rest}/ring`, GARBAGE);
  }
  return Number(/Requests\/sec:\s+([\d.]+)/.exec(await new Response(flood.stdout).text())?.[1]);
}

async function underStorm(): Promise<void> {
  await using server = await start(1);
  await simulatedTelephone(server, 1).lift();
  const bot = await echoBot([audioUrl(server, 1, LIVE)]);
  const durationMs = minutes * 60_000;
  await Bun.sleep(WARM_UP_MS);
  const [before] = await bot.stats();
  const late = await lateWakeups();
  const [{ delaysMs, garbled }, pagesPerS] = await Promise.all([
    speak(server, 1, durationMs),
    storm(server, durationMs),
  ]);
  const [after] = await bot.stats();
  const lateMs = await late();
  await bot.stop();
  if (!before || !after) throw new Error("the echo bot has no statistics");
  const during = `in ${minutes} min of HTTP flood and garbage`;
  figure(`live audio underruns ${during}`, after.underruns - before.underruns, "", "0");
  figure(`live audio samples lost or dropped ${during}`, lostSamples(after) - lostSamples(before), "", "0");
  figure(`garbled utterances of ${delaysMs.length + garbled} ${during}`, garbled, "", "0");
  figure(`mouth to ear ${during}, p50`, percentile(delaysMs, 0.5), "ms", BAR_DELAY);
  figure(`mouth to ear ${during}, worst`, percentile(delaysMs, 1), "ms");
  figure("  pages of events meanwhile", pagesPerS, "/s");
  figure("  an idle process was woken late meanwhile by", lateMs, "ms at worst");
}

const lostSamples = (stats: BotStats): number => stats.lost_samples + stats.dropped_samples;

/** CPU seconds that the process has used; 100 ticks a second on every Linux that Debian ships. */
async function cpuS(pid: number): Promise<number> {
  const stat = (await Bun.file(`/proc/${pid}/stat`).text()).split(") ")[1]?.split(" ") ?? [];
  return (Number(stat[11]) + Number(stat[12])) / 100;
}

async function eightLines(): Promise<void> {
  const lines = [1, 2, 3, 4, 5, 6, 7, 8];
  const seconds = 20;
  await using server = await start(lines.length);
  const said = noise(SAMPLES_PER_MS * 1000 * (seconds + 5), 9, 4000) as Int16Array<ArrayBuffer>;
  for (const line of lines) await simulatedTelephone(server, line).lift();
  const share = async (): Promise<number> => {
    const before = await cpuS(server.pid);
    const startedAt = performance.now();
    await Bun.sleep(seconds * 1000);
    return (100 * ((await cpuS(server.pid)) - before)) / ((performance.now() - startedAt) / 1000);
  };
  const speaking = (): void => {
    for (const line of lines)
      void simulatedTelephone(server, line)
        .speak(said)
        .catch(() => undefined);
  };
  speaking();
  figure("CPU, 8 lifted lines that talk, nobody listens", await share(), "% of one core");
  await Bun.sleep(5000);
  const bot = await echoBot(lines.map((line) => audioUrl(server, line)));
  speaking();
  figure("CPU, 8 lines of live audio both ways", await share(), "% of one core", BAR_CPU);
  const stats = await bot.stats();
  await bot.stop();
  const sum = (of: (stats: BotStats) => number): number => stats.reduce((total, each) => total + of(each), 0);
  figure(
    "frames a second, of those 8 lines, both ways",
    sum((each) => each.frames_in + each.frames_out) / seconds,
    "",
  );
  figure(
    "underruns of those 8 lines",
    sum(({ underruns }) => underruns),
    "",
    "0",
  );
}

/** What is played is in the ear as it was, sample for sample, from its first to its last. */
async function nullTest(): Promise<void> {
  await using server = await start(1);
  const phone = simulatedTelephone(server, 1);
  await phone.lift();
  const played = noise(PLAYED_SAMPLES, 3);
  const answer = await postBytes(
    `${server.rest}/play-audio?wait=true`,
    new Uint8Array(played.buffer as ArrayBuffer),
  );
  if (answer.body.reason !== "completed") throw new Error(JSON.stringify(answer.body));
  const ear = await phone.ear(PLAYED_SAMPLES / SAMPLES_PER_MS / 1000 + 2);
  const { lag } = bestLag(ear, played.subarray(0, UTTERANCE_SAMPLES));
  const wrong = played.filter((sample, i) => ear[lag + i] !== sample).length;
  figure(`playback: samples of ${PLAYED_SAMPLES} in the ear that are not what was sent`, wrong, "", "0");
}

await nullTest();
await mouthToEar(null);
await mouthToEar(20);
await underStorm();
await eightLines();
figures.end();
