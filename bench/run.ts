/**
 * `make bench`: what the executable does on this machine, beside a bare Bun.serve in the same run. Prints a table
 * last, and fails where a bar is missed. Bounded in time (about seven minutes) and in requests.
 *   bun bench/run.ts [--short]
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Measured } from "../test/rig/report";
import { get, post, simulatedTelephone } from "../test/support/client";
import { ROOT, type RunningServer, startServer } from "../test/support/server";
import { noise } from "../test/support/stepped";
import { barePeer } from "./bare_peer";
import { Figures, percentile } from "./figures";
import { readers } from "./soak/ws_readers";

const EXECUTABLE = join(ROOT, "dist/dahdi-phone-api-linux-x64");
const short = process.argv.includes("--short");
const seconds = (full: number): number => (short ? Math.max(2, Math.round(full / 10)) : full);

const figures = new Figures();
const figure = figures.add.bind(figures);

const start = (ports = 4): Promise<RunningServer> =>
  startServer({ command: [EXECUTABLE], arguments: [`--simulate=${ports}`] });

/** wrk on a URL; requests per second. */
async function load(url: string, durationS: number, connections = 32): Promise<number> {
  const child = Bun.spawn(["wrk", "-t1", `-c${connections}`, `-d${durationS}s`, url], {
    stdout: "pipe",
    stderr: "inherit",
  });
  const text = await new Response(child.stdout).text();
  return Number(/Requests\/sec:\s+([\d.]+)/.exec(text)?.[1] ?? Number.NaN);
}

async function residentMb(pid: number): Promise<number> {
  const status = await Bun.file(`/proc/${pid}/status`).text();
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
}

/** CPU seconds that the process has used; 100 ticks a second on every Linux that Debian ships. */
async function cpuS(pid: number): Promise<number> {
  const stat = (await Bun.file(`/proc/${pid}/stat`).text()).split(") ")[1]?.split(" ") ?? [];
  return (Number(stat[11]) + Number(stat[12])) / 100;
}

async function startToFirstAnswer(): Promise<void> {
  const times: number[] = [];
  const stateDir = mkdtempSync(join(tmpdir(), "dahdi-bench-"));
  for (let i = 0; i < (short ? 3 : 11); i++) {
    const port = 20_000 + ((process.pid + i * 2) % 20_000);
    const startedAt = performance.now();
    const child = Bun.spawn([EXECUTABLE, "--simulate=4", `--rest-port=${port}`, "--websocket-port=0"], {
      env: { ...process.env, DAHDI_API_STATE_DIR: stateDir },
      stdout: "ignore",
      stderr: "ignore",
    });
    for (;;) {
      const answered = await fetch(`http://127.0.0.1:${port}/status`).then(
        (answer) => answer.ok,
        () => false,
      );
      if (answered) break;
      await Bun.sleep(1);
    }
    times.push(performance.now() - startedAt);
    child.kill();
    await child.exited;
  }
  rmSync(stateDir, { recursive: true });
  figure("start to first answer, median", percentile(times, 0.5), "ms", "<= 50");
}

async function requestsPerSecond(): Promise<void> {
  await using server = await start();
  const body = await (await fetch(`${server.rest}/status`)).text();
  const peerSource = `Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => Response.json(${body}) })`;
  const peer = Bun.spawn(
    [process.execPath, "-e", `console.log((${peerSource}).port); setInterval(() => {}, 1e6)`],
    {
      stdout: "pipe",
    },
  );
  const { value } = await peer.stdout.getReader().read();
  const peerUrl = `http://127.0.0.1:${new TextDecoder().decode(value).trim()}/`;
  const ours: number[] = [];
  const bare: number[] = [];
  for (let round = 0; round < 3; round++) {
    bare.push(await load(peerUrl, seconds(5)));
    ours.push(await load(`${server.rest}/status`, seconds(5)));
  }
  peer.kill();
  figure("bare Bun.serve, same JSON", percentile(bare, 0.5), "req/s");
  figure("GET /status", percentile(ours, 0.5), "req/s");
  const ratios = ours.map((rate, i) => rate / (bare[i] ?? Number.NaN));
  figure("GET /status over bare Bun.serve", percentile(ratios, 0.5), "", ">= 0.6");
}

/** Presses keys for a while; those who listen measure each event against its native stamp. */
async function pressKeys(server: RunningServer, durationS: number, lines = [1]): Promise<void> {
  const until = performance.now() + durationS * 1000;
  await Promise.all(
    lines.map(async (line) => {
      const phone = simulatedTelephone(server, line);
      while (performance.now() < until) await phone.press("0123456789", { on_ms: 50, off_ms: 50 });
    }),
  );
}

/** The least that any server here can take: a bare Bun.serve that sends a frame every 50 ms, same client. */
async function bareSocket(): Promise<void> {
  const peer = await barePeer();
  const listening = await readers(peer.websocket, 1);
  peer.begin();
  await Bun.sleep(seconds(10) * 1000);
  const latency = await listening.finish();
  await peer.stop();
  figure("bare Bun WebSocket, send to frame, p50", latency.p50Ms, "ms");
  figure("bare Bun WebSocket, send to frame, p99", latency.p99Ms, "ms");
}

async function eventLatency(): Promise<void> {
  await using server = await start();
  for (const line of [1, 2, 3, 4]) await simulatedTelephone(server, line).lift();
  const idle = await readers(server.websocket, 1);
  await pressKeys(server, seconds(20));
  const calm = await idle.finish();
  figure("event latency idle, p50", calm.p50Ms, "ms", "<= 0.2");
  figure("event latency idle, p99", calm.p99Ms, "ms");
  const flooded = await readers(server.websocket, 1);
  const flood = load(`${server.rest}/status`, seconds(20));
  await pressKeys(server, seconds(20));
  await flood;
  const busy = await flooded.finish();
  figure("event latency under an HTTP flood, p50", busy.p50Ms, "ms");
  figure("event latency under an HTTP flood, p99", busy.p99Ms, "ms", "<= 5");
  for (const clients of [1, 100, 1000]) {
    const listening = await readers(server.websocket, clients);
    await pressKeys(server, seconds(10));
    const latencies = await listening.finish();
    figure(`fan-out to ${clients}, p50`, latencies.p50Ms, "ms");
    figure(`fan-out to ${clients}, p99`, latencies.p99Ms, "ms");
  }
  figure("memory after 1,000 clients", await residentMb(server.pid), "MB");
}

async function fourLinesAtOnce(): Promise<void> {
  await using server = await start();
  for (const line of [1, 2, 3, 4]) await simulatedTelephone(server, line).lift();
  const listening = await readers(server.websocket, 1);
  await pressKeys(server, seconds(10), [1, 2, 3, 4]);
  const latency = await listening.finish();
  figure("event latency, keys on 4 lines at once, p50", latency.p50Ms, "ms");
  figure("event latency, keys on 4 lines at once, p99", latency.p99Ms, "ms");
}

async function idleAndTalking(): Promise<void> {
  await using server = await start();
  await Bun.sleep(seconds(5) * 1000);
  figure("memory, idle", await residentMb(server.pid), "MB", "<= 60");
  const share = async (): Promise<number> => {
    const before = await cpuS(server.pid);
    const startedAt = performance.now();
    await Bun.sleep(seconds(20) * 1000);
    return ((await cpuS(server.pid)) - before) / ((performance.now() - startedAt) / 1000);
  };
  figure("CPU, 4 idle lines", 100 * (await share()), "% of one core");
  const speech = noise(8000 * (seconds(20) + 5), 9, 4000);
  for (const line of [1, 2, 3, 4]) {
    const phone = simulatedTelephone(server, line);
    await phone.lift();
    void phone.speak(speech as Int16Array<ArrayBuffer>).catch(() => undefined);
    await post(`${server.rest}/lines/${line}/generate-tone`, {
      frequency: 440,
      duration: (seconds(20) + 5) * 1000,
    });
  }
  figure("CPU, 4 talking lines", 100 * (await share()), "% of one core");
}

/** Four lines play while requests flood and every page of events makes garbage. */
async function underruns(): Promise<void> {
  await using server = await start();
  const durationS = seconds(60);
  for (const line of [1, 2, 3, 4]) {
    await simulatedTelephone(server, line).lift();
    await post(`${server.rest}/lines/${line}/generate-tone`, { frequency: 440, duration: (durationS + 2) * 1000 });
  }
  const upload = new Uint8Array(20_000_000);
  const until = performance.now() + durationS * 1000;
  const garbage = async (): Promise<void> => {
    while (performance.now() < until) {
      // Odd on purpose: read to its end, and refused at its beginning.
      await fetch(`${server.rest}/play-audio`, { method: "POST", body: upload.subarray(1) });
      await post(`${server.rest}/ring`, { pattern: Array.from({ length: 15_000 }, (_, i) => [i]) });
    }
  };
  await Promise.all([load(`${server.rest}/events?limit=1000`, durationS), garbage()]);
  let total = 0;
  let worstMs = 0;
  for (const line of [1, 2, 3, 4]) {
    const { io } = (await get(`${server.rest}/lines/${line}/diagnostics`)).body as {
      io: { playout_underruns: number; max_service_gap_ms: number };
    };
    total += io.playout_underruns;
    worstMs = Math.max(worstMs, io.max_service_gap_ms);
  }
  figure(`underruns in ${durationS} s of storm`, total, "blocks", "0");
  figure("longest time between two services of a line", worstMs, "ms");
}

/** In the kernel rig, on DAHDI's driver and the virtual card, on an emulated Cortex-A72 whose clock counts instructions. */
async function kernelRig(): Promise<void> {
  const reportPath = join(ROOT, "build/rig/bench-report.json");
  const rig = Bun.spawn(
    [process.execPath, "test/rig/rig.ts", "arm64/vfxs/steady", "arm64/vfxs/card", `--report=${reportPath}`],
    { cwd: ROOT, stdout: "ignore", stderr: "inherit" },
  );
  if ((await rig.exited) !== 0) console.log("# the kernel rig failed: make rig GUESTS=arm64/vfxs says why");
  const { measured } = (await Bun.file(reportPath).json()) as { measured: Measured[] };
  for (const { behaviour, value, unit } of measured)
    if (typeof value === "number") figure(`kernel rig: ${behaviour}`, value, unit);
}

await startToFirstAnswer();
await requestsPerSecond();
await bareSocket();
await eventLatency();
await fourLinesAtOnce();
await idleAndTalking();
await underruns();
if (!short) await kernelRig();
figures.end();
