/**
 * Where the contract suite finds its telephones: the simulator of a server of its own, or a guest of the kernel rig
 * (DAHDI_RIG names the guest's ports and the kind of card), where the same executable serves real DAHDI channels.
 */

import { Agent, GUEST_REST_PORT, GUEST_WEBSOCKET_PORT } from "../rig/guest";
import { get, simulatedTelephone, type Telephone } from "./client";
import { eventually, type RunningServer, startServer } from "./server";
import { toneSamples } from "./tones";

/** local: DAHDI's local spans, a far end that we did not write; vfxs: the virtual card. */
export type CardKind = "local" | "vfxs";

export interface RigAddress {
  guest: string;
  card: CardKind;
  agent: number;
  rest: number;
  websocket: number;
}

const rigText = process.env.DAHDI_RIG;
export const rig: RigAddress | null = rigText ? (JSON.parse(rigText) as RigAddress) : null;
export const card: "simulated" | CardKind = rig?.card ?? "simulated";

/** What a backend's telephones cannot do, and why: the reason stands in the skip. */
const LACKS: Partial<Record<CardKind, Record<string, string>>> = {
  local: {
    unplug: "local spans cannot be unplugged: the virtual card shows it",
  },
};
export const lacks = (ability: string): string | null => (rig ? (LACKS[rig.card]?.[ability] ?? null) : null);

export interface Telephones {
  server: RunningServer;
  telephone(line: number): Telephone;
}

/** A test that failed may have left a handset beside its telephone. */
export async function hangUpAll(agent: Agent, kind: CardKind): Promise<void> {
  if (kind === "local") await agent.put("/far/all/hook", "0");
  else await agent.sh("for port in /sys/kernel/debug/vfxs/*/hook; do echo 0 >$port; done");
}

export async function startTelephones(lines: number): Promise<Telephones> {
  if (!rig) {
    const server = await startServer({ arguments: [`--simulate=${lines}`] });
    return { server, telephone: (line) => simulatedTelephone(server, line) };
  }
  const agent = new Agent(rig.agent);
  await hangUpAll(agent, rig.card);
  await agent.sh("rm -rf /tmp/.local/state"); // the event log of the file before
  const server = await startGuestServer(rig, agent, { lines });
  return { server, telephone: (line) => rigTelephone(agent, rig.card, line, server) };
}

/** Channels of the local span's far end follow ours. */
export const RIG_LINES = 12;
const hands = (kind: CardKind, line: number): string =>
  kind === "vfxs" ? `/sys/kernel/debug/vfxs/${line}` : `/far/${line + RIG_LINES}`;

/** A hook open for longer than flash_max_ms is on-hook for the kernel. */
const ON_HOOK_SURE_MS = 820;
const ROTARY_BREAK_MS = 60;
const ROTARY_MAKE_MS = 40;
const BETWEEN_PULSE_DIGITS_MS = 700;

export interface RigTelephone extends Telephone {
  /** "STATE:MS …": see test/rig/vfxs/vfxs_debugfs.c. Settles when all is done. */
  hookScript(script: string): Promise<void>;
  /** Puts into the microphone what is said while it is lifted, now or later. */
  prepare(samples: Int16Array<ArrayBuffer>): Promise<void>;
  /** Says samples into the microphone; settles when the last was said. */
  speak(samples: Int16Array<ArrayBuffer>): Promise<void>;
  /** CLOCK_MONOTONIC ns of what the bell and the hook did since cleared. */
  edges(of: "bell" | "hook"): Promise<{ ns: number; on: boolean }[]>;
  clear(of: "bell" | "hook"): Promise<void>;
  /** Its display hears on-hook from now on, and forgets what was. The virtual card's does during on-hook transfer. */
  listen(): Promise<void>;
}

export function rigTelephone(
  agent: Agent,
  kind: CardKind,
  line: number,
  server: Pick<RunningServer, "rest">,
): RigTelephone {
  const at = hands(kind, line);
  const hookScript = async (script: string): Promise<void> => {
    await agent.put(`${at}/hook`, script);
    await agent.done(`${at}/hook`);
  };
  const prepare = (samples: Int16Array<ArrayBuffer>): Promise<void> =>
    agent.put(`${at}/mic`, new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength));
  const speak = async (samples: Int16Array<ArrayBuffer>): Promise<void> => {
    await prepare(samples);
    await agent.done(`${at}/mic`);
  };
  /** As with the simulator, whose telephone answers when the server knows. */
  const seen = async (...states: string[]): Promise<void> => {
    await eventually(
      () => get(`${server.rest}/lines/${line}/status`),
      ({ body }) => states.includes(String(body.state)),
    );
  };
  const unsupported = (): Promise<void> => Promise.reject(new Error(`${kind}: ${lacks("unplug")}`));
  return {
    hookScript,
    prepare,
    speak,
    lift: async () => {
      await hookScript("1");
      await seen("OFF_HOOK", "IN_CALL");
    },
    hangUp: async () => {
      await hookScript(`0:${ON_HOOK_SURE_MS} 0`);
      await seen("IDLE");
    },
    flash: (ms) => hookScript(`0:${ms} 1`),
    press: (digits, options = {}) => speak(toneSamples(digits, options)),
    pulse: (digits, { break_ms = ROTARY_BREAK_MS, make_ms = ROTARY_MAKE_MS } = {}) =>
      // A person's finger needs a while; a break that follows a flash at once would be one with it.
      hookScript(
        `1:${BETWEEN_PULSE_DIGITS_MS} ` +
          [...digits]
            .map((digit) => {
              const pulses = digit === "0" ? 10 : Number(digit);
              const train = `0:${break_ms} 1:${make_ms} `.repeat(pulses);
              return `${train}1:${BETWEEN_PULSE_DIGITS_MS}`;
            })
            .join(" "),
      ),
    ear: async (seconds) => {
      const bytes = await agent.get(`${at}/ear`);
      const samples = new Int16Array(new Uint8Array(bytes).buffer);
      return samples.subarray(Math.max(0, samples.length - Math.round(seconds * 8000)));
    },
    unplug: kind === "vfxs" ? () => agent.put("/sys/kernel/debug/vfxs/card", "unplug") : unsupported,
    // What udev does when a card appears is done here by hand.
    plug:
      kind === "vfxs"
        ? async () => {
            await agent.put("/sys/kernel/debug/vfxs/card", "plug");
            await agent.sh("dahdi_cfg -c /etc/dahdi/system.conf");
          }
        : unsupported,
    edges: async (of) =>
      (await agent.text(`${at}/${of}_log`))
        .trim()
        .split("\n")
        .filter(Boolean)
        .map((row) => row.split(" "))
        .map(([ns, on]) => ({ ns: Number(ns), on: on === "1" })),
    clear: (of) => agent.put(`${at}/${of}_log`, "clear"),
    listen: async () => {
      await agent.put(kind === "local" ? `${at}/listen` : `${at}/ear`, "1");
    },
  };
}

export interface GuestServerOptions {
  lines: number;
  /** Replaces the default configuration's channels and adds what is given, as YAML text. */
  config?: string;
  /** root unless told. */
  user?: string;
  expectReady?: boolean;
}

const READY_LIMIT_MS = 90_000;

export async function startGuestServer(
  { rest, websocket }: Pick<RigAddress, "rest" | "websocket">,
  agent: Agent,
  options: GuestServerOptions,
): Promise<RunningServer> {
  const channels = Array.from({ length: options.lines }, (_, i) => i + 1).join(", ");
  const config =
    "server: { host: 0.0.0.0 }\n" +
    "security: { allow_unauthenticated: true }\n" +
    "recording: { min_free_mb: 1 }\n" + // all that a guest has is a little memory
    (options.config ?? `dahdi: { channels: [${channels}] }\n`);
  await agent.put("/tmp/config.yml", config);
  await agent.sh("chmod 644 /tmp/config.yml");
  const command =
    "dahdi-phone-api serve --config=/tmp/config.yml --announce " +
    `--rest-port=${GUEST_REST_PORT} --websocket-port=${GUEST_WEBSOCKET_PORT}`;
  const serve = options.user ? `su ${options.user} -s /bin/sh -c '${command}'` : command;
  await agent.sh(
    "rm -f /tmp/exit; : >/tmp/announced; touch /tmp/server.log; chmod 666 /tmp/server.log;" +
      `( ${serve} >/tmp/announced 2>>/tmp/server.log; echo $? >/tmp/exit ) </dev/null >/dev/null 2>&1 &`,
  );
  const until = Date.now() + READY_LIMIT_MS;
  let announced = "";
  while (!announced.includes("\n")) {
    const { output } = await agent.try("cat /tmp/announced; cat /tmp/exit 2>/dev/null && cat /tmp/server.log");
    announced = output;
    if (Date.now() > until || /^\d+\n/.test(output))
      throw new Error(`the guest's server did not start: ${output}`);
  }
  const { pid } = JSON.parse(announced) as { pid: number };
  const urls = { rest: `http://127.0.0.1:${rest}`, websocket: `ws://127.0.0.1:${websocket}/ws` };
  const stop = async (signal: NodeJS.Signals = "SIGTERM"): Promise<number> => {
    const script = `kill -${signal.slice(3)} ${pid}; while [ ! -s /tmp/exit ]; do usleep 20000; done; cat /tmp/exit`;
    return Number(await agent.sh(script));
  };
  const server: RunningServer = {
    ...urls,
    pid,
    log: () => agent.text("/tmp/server.log"),
    residentMb: async () => Number(/VmRSS:\s+(\d+)/.exec(await agent.text(`/proc/${pid}/status`))?.[1]) / 1024,
    stop,
    [Symbol.asyncDispose]: async () => {
      await stop();
    },
  };
  if (options.expectReady === false) return server;
  for (;;) {
    const ready = await fetch(`${urls.rest}/ready`).catch(() => null);
    if (ready?.status === 200) return server;
    if (Date.now() > until) {
      throw new Error(`the guest's lines did not come up: ${await ready?.text()}\n${await server.log()}`);
    }
    await Bun.sleep(50);
  }
}
