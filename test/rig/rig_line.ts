/** For the rig's tests: one server in the guest for a file, telephones that no other test uses, the guest's clock. */
import { afterAll, beforeAll } from "bun:test";
import { hangUpAll, RIG_LINES, type RigTelephone, rig, rigTelephone, startGuestServer } from "../support/backend";
import type { RunningServer } from "../support/server";
import { Agent } from "./guest";

if (!rig) throw new Error("these tests run in the kernel rig: make rig");
export const address = rig;
export const agent = new Agent(rig.agent);

export interface RigLine {
  line: number;
  url: string;
  events: string;
  phone: RigTelephone;
  /** The virtual card's files that move this telephone. */
  hands: string;
}

export function oneServer(config?: string): { server: () => RunningServer; freshLine: () => RigLine } {
  let server: RunningServer;
  beforeAll(async () => {
    await hangUpAll(agent, address.card);
    server = await startGuestServer(address, agent, { lines: RIG_LINES, ...(config ? { config } : {}) });
  }, 120_000);
  afterAll(async () => {
    await server.stop();
  });
  let last = 0;
  return {
    server: () => server,
    freshLine: () => {
      const line = (last++ % RIG_LINES) + 1;
      return {
        line,
        url: `${server.rest}/lines/${line}`,
        events: `${server.websocket}?line=${line}&stamp=1`,
        phone: rigTelephone(agent, address.card, line, server),
        hands: `/sys/kernel/debug/vfxs/${line}`,
      };
    },
  };
}

/** Unix ms of a CLOCK_MONOTONIC time of the guest. */
export async function wallMs(monotonicNs: number): Promise<number> {
  const [mono, real] = (await agent.text("/clock")).trim().split(" ").map(Number) as [number, number];
  return (real - mono + monotonicNs) / 1e6;
}

/** Power of one frequency in samples, as the level in dBm0 of a sine of it (Goertzel's algorithm). */
export function levelOf(samples: Int16Array, frequencyHz: number): number {
  const w = (2 * Math.PI * frequencyHz) / 8000;
  let re = 0;
  let im = 0;
  samples.forEach((sample, i) => {
    re += sample * Math.cos(w * i);
    im += sample * Math.sin(w * i);
  });
  const amplitude = (2 * Math.hypot(re, im)) / samples.length;
  return 20 * Math.log10(amplitude / 32767 + 1e-9) + 3.14;
}
