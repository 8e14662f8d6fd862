/** The driver's echo canceller (mg2) on a card with hybrid echo: what of our own sound comes back, without and with it. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { hangUpAll, RIG_LINES, type RigTelephone, rigTelephone, startGuestServer } from "../support/backend";
import { EventListener, post, postBytes } from "../support/client";
import { goertzelDbm0, rmsDbm0 } from "../support/level";
import { soundOf } from "../support/recordings";
import type { RunningServer } from "../support/server";
import { noise, sine } from "../support/stepped";
import { measured } from "./report";
import { address, agent } from "./rig_line";

const SYSTEM_CONF = "/etc/dahdi/system.conf";
const LINE = 1;
/** Of 32768: a hybrid that lets a quarter back, 12 dB below. */
const ECHO = 8192;
const PLAYED_S = 6;
const SAMPLES_PER_S = 8000;

let before = "";
beforeAll(async () => {
  await hangUpAll(agent, address.card);
  before = await agent.text(SYSTEM_CONF);
  await agent.put(SYSTEM_CONF, `${before}echocanceller=mg2,1-${RIG_LINES}\n`);
  await agent.sh(`cd /modules && insmod dahdi_echocan_mg2.ko && dahdi_cfg -c ${SYSTEM_CONF}`);
  await agent.put(`/sys/kernel/debug/vfxs/${LINE}/echo`, String(ECHO));
}, 120_000);
afterAll(async () => {
  await agent.put(`/sys/kernel/debug/vfxs/${LINE}/echo`, "0");
  await agent.put(SYSTEM_CONF, before);
  await agent.sh(`dahdi_cfg -c ${SYSTEM_CONF}`);
});

interface Heard {
  caller: Int16Array;
  played: Int16Array;
}

/** What is heard beside what is sent, while noise of ours is played and meanwhile() is done. */
async function heardBeside(
  taps: number,
  meanwhile: (phone: RigTelephone) => Promise<void> = () => Promise.resolve(),
): Promise<Heard> {
  const config = `dahdi: { channels: [${LINE}], echo_cancel_taps: ${taps} }\n`;
  const server: RunningServer = await startGuestServer(address, agent, { lines: 1, config });
  try {
    const phone = rigTelephone(agent, address.card, LINE, server);
    using events = await EventListener.open(`${server.websocket}?line=${LINE}`);
    await phone.lift();
    const { body } = await post(`${server.rest}/record`, { source: "both", trim: false });
    const far = noise(PLAYED_S * SAMPLES_PER_S, 5, 9000);
    await postBytes(`${server.rest}/play-audio`, new Uint8Array(far.buffer as ArrayBuffer));
    await events.event("playback_started");
    await meanwhile(phone);
    await events.event("playback_finished", { reason: "completed" }, 60_000);
    await post(`${server.rest}/record/stop`);
    const file = await fetch(`${server.rest}/recordings/${body.recording_id}/audio`);
    const { caller, played } = soundOf(new Uint8Array(await file.arrayBuffer()));
    await phone.hangUp();
    if (!played) throw new Error("a recording of both has two channels");
    const start = played.findIndex((sample) => Math.abs(sample) > 1000);
    const whole = (samples: Int16Array): Int16Array => samples.subarray(start, start + PLAYED_S * SAMPLES_PER_S);
    return { caller: whole(caller), played: whole(played) };
  } finally {
    await server.stop();
  }
}

const lastSeconds = (samples: Int16Array, seconds: number): Int16Array =>
  samples.subarray(samples.length - seconds * SAMPLES_PER_S);
const lossDb = ({ caller, played }: Heard): number =>
  rmsDbm0(lastSeconds(played, 2)) - rmsDbm0(lastSeconds(caller, 2));

/** Until 100 ms of the echo are first 20 dB below what they were. */
function convergedMs({ caller }: Heard, echoDbm0: number): number {
  const window = SAMPLES_PER_S / 10;
  for (let at = 0; at + window <= caller.length; at += window / 10) {
    if (rmsDbm0(caller.subarray(at, at + window)) < echoDbm0 - 20) return at / (SAMPLES_PER_S / 1000);
  }
  return Number.POSITIVE_INFINITY;
}

test("the canceller takes the echo away, and leaves who speaks meanwhile", async () => {
  const without = await heardBeside(0);
  const withIt = await heardBeside(128);
  const echoDbm0 = rmsDbm0(lastSeconds(without.caller, 2));
  const returnLossDb = lossDb(without);
  const enhancementDb = lossDb(withIt) - returnLossDb;
  measured("echo without canceller, below what is sent", returnLossDb, "dB");
  measured("echo canceller mg2, 128 taps: ERLE after 4 s of noise", enhancementDb, "dB");
  measured("… until the echo is 20 dB lower", convergedMs(withIt, echoDbm0), "ms");
  expect(Math.abs(returnLossDb - 12)).toBeLessThan(1);
  expect(enhancementDb).toBeGreaterThan(20);

  const spoken = sine(1000, 2000, 8000) as Int16Array<ArrayBuffer>;
  const both = await heardBeside(128, (phone) => phone.speak(spoken));
  const seconds = Array.from({ length: PLAYED_S }, (_, i) =>
    goertzelDbm0(both.caller.subarray(i * SAMPLES_PER_S, (i + 1) * SAMPLES_PER_S), 1000),
  );
  const spokenDbm0 = goertzelDbm0(spoken, 1000);
  measured("… what is spoken meanwhile is heard", Math.max(...seconds) - spokenDbm0, "dB");
  expect(Math.abs(Math.max(...seconds) - spokenDbm0)).toBeLessThan(3);
}, 240_000);
