/**
 * Voice on the real driver: what telephones hear is compared with what was sent, sample by sample. A telephone is lifted
 * for so many of the guest's milliseconds, and all else was made ready before: nothing waits for the network meanwhile.
 */
import { afterEach, describe, expect, test } from "bun:test";
import { SAMPLE_FORMATS } from "../../src/audio/sample_format";
import { AudioClient } from "../support/audio_client";
import { EventListener, get, post, postBytes } from "../support/client";
import { needs } from "../support/needs";
import { soundOf } from "../support/recordings";
import { eventually } from "../support/server";
import { noise } from "../support/stepped";
import { toneSamples } from "../support/tones";
import { guestClient, inGuest } from "./guest_program";
import { measured } from "./report";
import { address, agent, oneServer, type RigLine } from "./rig_line";
import {
  bytesOf,
  delays,
  heardAs,
  joined,
  PAUSE_MS,
  SAMPLES_PER_MS,
  silence,
  spoken,
  UTTERANCE,
  utterances,
} from "./voices";

const BLOCK = 160;
const BOT_PORT = 8765;
/** The card debounces the hook, and then the line is opened: what is said before is nobody's to hear. */
const AFTER_LIFT_MS = 500;
/** Of a client whose code is compiled while it runs. */
const WARM_UP_MS = 3000;
/** Of 32768: half of it comes back. */
const ECHO = "16384";
const LOUD = 500;
const SOFT = 16;
const KEY_SURE_MS = 100;

/** An emulated minute more costs everyone a minute: what no processor can break is shown on one. */
const breadth = needs(address.guest === "x64", "x64/vfxs shows it");

const { server, freshLine } = oneServer();
const lines: RigLine[] = [];
const nextLine = (): RigLine => {
  const line = freshLine();
  lines.push(line);
  return line;
};
afterEach(async () => {
  for (const { phone } of lines.splice(0)) await phone.hookScript("0");
});

async function recordingOf({ url }: RigLine): Promise<() => Promise<{ caller: Int16Array; played: Int16Array }>> {
  const wishes = { when: "off_hook", source: "both", trim: false };
  const { status, body } = await post(`${url}/record`, wishes);
  expect({ status, body }).toMatchObject({ status: 200 });
  const at = `${server().rest}/recordings/${body.recording_id}`;
  return async () => {
    const told = await eventually(
      () => get(at),
      ({ body }) => body.state === "finished",
    );
    expect(told.body).toMatchObject({ lost_ms: 0 });
    const { caller, played } = soundOf(await (await fetch(`${at}/audio`)).bytes());
    return { caller, played: played as Int16Array };
  };
}

/** Lifted for so long, and all that its ear heard in that time. */
async function lifted({ phone }: RigLine, ms: number): Promise<Int16Array> {
  await phone.hookScript(`1:${ms} 0`);
  return phone.ear(ms / 1000);
}

const tellDelays = (what: string, ms: readonly number[]): void => {
  measured(`mouth to ear ${what}, median`, ms.toSorted((a, b) => a - b)[ms.length >> 1] as number, "ms");
  measured(`mouth to ear ${what}, longest`, Math.max(...ms), "ms");
};

test("what is played is heard and what is said is recorded, each sample at its place", async () => {
  const line = nextLine();
  const played = noise(3000 * SAMPLES_PER_MS, 71);
  const said = noise(3000 * SAMPLES_PER_MS, 72) as Int16Array<ArrayBuffer>;
  await line.phone.prepare(joined(silence(AFTER_LIFT_MS), said));
  const recorded = await recordingOf(line);
  await postBytes(`${line.url}/play-audio?when=off_hook`, bytesOf(played));
  const ear = heardAs(await lifted(line, 4000), played);
  measured("playback to the ear: samples that are not what was sent", ear.wrong);
  const { caller, played: sent } = await recorded();
  const mouth = heardAs(caller, said);
  measured("mouth to recording: samples that are not what was said", mouth.wrong);
  expect([ear.wrong, mouth.wrong, heardAs(sent, played).wrong]).toEqual([0, 0, 0]);
}, 120_000);

breadth(
  "a recording has what was sent beside what came back of it in the same time",
  async () => {
    const line = nextLine();
    const played = noise(1000 * SAMPLES_PER_MS, 73);
    await agent.put(`${line.hands}/echo`, ECHO);
    const recorded = await recordingOf(line);
    await postBytes(`${line.url}/play-audio?when=off_hook`, bytesOf(played));
    await lifted(line, 2000);
    await agent.put(`${line.hands}/echo`, "0");
    const { caller, played: sent } = await recorded();
    const lag = heardAs(caller, played).at - heardAs(sent, played).at;
    measured("recording: what is heard behind what is sent", lag, "samples");
    expect(Math.abs(lag)).toBeLessThanOrEqual(BLOCK);
  },
  120_000,
);

describe("live audio", () => {
  test("what is said is heard by the client, what it says by the telephone, without a gap", async () => {
    const line = nextLine();
    const said = noise(4000 * SAMPLES_PER_MS, 74) as Int16Array<ArrayBuffer>;
    const answered = noise(3000 * SAMPLES_PER_MS, 75);
    const client = await guestClient(line, answered);
    await line.phone.prepare(joined(silence(AFTER_LIFT_MS), said));
    const ear = heardAs(await lifted(line, 6000), answered);
    const heard = heardAs(await client.heard(), said);
    measured("live audio to the ear: samples that are not what was sent", ear.wrong);
    measured("mouth to live audio: samples that are not what was said", heard.wrong);
    expect([ear.wrong, heard.wrong]).toEqual([0, 0]);
    const told = await client.told();
    expect(told).toContainEqual({ type: "mark", name: "all" });
    expect(told.find(({ type }) => type === "stopped")).toMatchObject({
      reason: "hung_up",
      lost_samples: 0,
      dropped_samples: 0,
      underruns: 0,
    });
  }, 120_000);

  test("an echoing client is heard as what was said", async () => {
    const line = nextLine();
    const said = utterances(80);
    await guestClient(line, null, "&max_buffer_ms=200");
    const recorded = await recordingOf(line);
    await line.phone.prepare(spoken(WARM_UP_MS, said));
    await lifted(line, WARM_UP_MS + said.length * (PAUSE_MS + UTTERANCE / SAMPLES_PER_MS) + 500);
    const { caller, played } = await recorded();
    tellDelays("through an echoing live client", delays(caller, played, said));
  }, 120_000);

  breadth(
    "clear takes back what waits, from outside the machine too; what follows is heard",
    async () => {
      const line = nextLine();
      await line.phone.lift();
      using client = await AudioClient.open(`${line.url.replace("http:", "ws:")}/audio?mode=talk`);
      await client.tells("started");
      for (let i = 0; i < 13; i++) client.talk(noise(16_000, 90 + i));
      client.say({ type: "mark", name: "never" });
      await client.tells("xoff");
      client.say({ type: "clear" });
      await client.tells("mark", { name: "never", cleared: true });
      await client.tells("xon");
      const word = noise(2000 * SAMPLES_PER_MS, 110);
      client.talk(word);
      client.say({ type: "mark", name: "word" });
      await client.tells("mark", { name: "word" });
      // The mark comes with the block that has its last sample.
      await eventually(
        async () => heardAs(await line.phone.ear(5), word).wrong,
        (wrong) => wrong === 0,
      );
      await line.phone.hangUp();
      expect(await client.closed()).toMatchObject({ code: 1000, reason: "hung_up" });
    },
    120_000,
  );
});

breadth(
  "a voice bot that speaks Twilio's Media Streams hears the telephone and is heard by it, without a gap",
  async () => {
    const line = nextLine();
    const said = noise(4000 * SAMPLES_PER_MS, 77) as Int16Array<ArrayBuffer>;
    const answered = noise(3000 * SAMPLES_PER_MS, 78);
    const at = "/tmp/bot";
    await agent.put(`${at}.said`, SAMPLE_FORMATS.mulaw.encode(answered));
    const bot = await inGuest("stream_bot.ts", at, `${BOT_PORT} ${at}.heard ${at}.said`);
    await bot.tells({ event: "listening" });
    const wishes = { url: `ws://127.0.0.1:${BOT_PORT}/`, when: "off_hook" };
    expect(await post(`${line.url}/stream`, wishes)).toMatchObject({ status: 200, body: { state: "waiting" } });
    await line.phone.prepare(joined(silence(AFTER_LIFT_MS), said));
    const ear = heardAs(await lifted(line, 6000), answered);
    await bot.tells({ event: "stop" });
    const heard = heardAs(SAMPLE_FORMATS.mulaw.decode(await agent.get(`${at}.heard`)), said);
    measured("voice bot to the ear: samples that are not what was sent", ear.wrong);
    measured("mouth to voice bot: samples that are not what was said", heard.wrong);
    expect([ear.wrong, heard.wrong]).toEqual([0, 0]);
    expect(await bot.tells({ event: "mark" })).toMatchObject({ mark: { name: "all" } });
  },
  120_000,
);

breadth(
  "a key ends what it barges in upon, and what was heard is told to the block",
  async () => {
    const line = nextLine();
    const played = noise(4000 * SAMPLES_PER_MS, 76, 2000);
    const before = 1000;
    await line.phone.prepare(joined(silence(before), toneSamples("5", { on_ms: 400 })));
    using events = await EventListener.open(line.events);
    const recorded = await recordingOf(line);
    await postBytes(`${line.url}/play-audio?when=off_hook&barge_in=dtmf`, bytesOf(played));
    const ear = await lifted(line, 4000);
    const told = await events.event("playback_finished", { reason: "barged", barged_by: "dtmf" });
    const { caller, played: sent } = await recorded();
    const key = caller.findIndex((sample) => Math.abs(sample) > LOUD);
    const from = sent.findIndex((sample) => sample !== 0);
    const to = sent.findLastIndex((sample) => Math.abs(sample) > SOFT) + 1;
    measured("barge-in: from a key's begin to silence", (to - key) / SAMPLES_PER_MS, "ms");
    expect(Math.abs(to - from - Number(told.heard_ms) * SAMPLES_PER_MS)).toBeLessThanOrEqual(BLOCK);
    // The detector's time for a key, and a block.
    expect((to - key) / SAMPLES_PER_MS).toBeLessThanOrEqual(KEY_SURE_MS + BLOCK / SAMPLES_PER_MS);
    // What the ear heard is what the recording has.
    expect(heardAs(ear, played.subarray(0, to - from)).wrong).toBe(0);
  },
  120_000,
);

breadth(
  "a bridge carries voices",
  async () => {
    const [one, two] = [nextLine(), nextLine()];
    const said = utterances(120);
    await one.phone.lift();
    await two.phone.lift();
    // What the one says comes back through the other's hybrid: there and back, by one clock.
    await agent.put(`${two.hands}/echo`, ECHO);
    expect(await post(`${server().rest}/bridges`, { lines: [one.line, two.line] })).toMatchObject({ status: 200 });
    using events = await EventListener.open(one.events);
    const { body } = await post(`${one.url}/record`, { source: "both", trim: false });
    await one.phone.speak(spoken(200, said));
    await post(`${one.url}/record/stop`);
    await events.event("recording_finished", { recording_id: body.recording_id });
    const { caller, played } = soundOf(
      await (await fetch(`${server().rest}/recordings/${body.recording_id}/audio`)).bytes(),
    );
    await agent.put(`${two.hands}/echo`, "0");
    const bothWays = delays(caller, played as Int16Array, said);
    tellDelays(
      "over a bridge, each way",
      bothWays.map((ms) => ms / 2),
    );
  },
  120_000,
);
