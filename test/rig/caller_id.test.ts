/** A caller, a waiting call and a waiting message as a display at the far end of a real driver's line sees them. */
import { expect, test } from "bun:test";
import { hears, testSpandsp } from "../peers/display";
import { EventListener, get, type Json, post } from "../support/client";
import { eventually } from "../support/server";
import { toneSamples } from "../support/tones";
import { measured } from "./report";
import { address, agent, oneServer, type RigLine } from "./rig_line";

const { server, freshLine } = oneServer(
  address.card === "vfxs"
    ? "dahdi: { channels: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12] }\nmessage_waiting: { lamp: line_reversal }\n"
    : undefined,
);

const CALLER = { name: "Zoë Müller", number: "+1 202-555-0100", time: "2026-12-31T23:59" };
const WHOLE = "80\t01=12312359\t02=12025550100\t07=Zoe Muller";
const PERIOD_SAMPLES = 8;

const controls = ({ line }: RigLine): Promise<string> => agent.text(`/sys/kernel/debug/vfxs/${line}/controls`);

/** The first and the last sample with sound in them, of the whole ear. */
async function soundOf({ phone }: RigLine): Promise<{ ear: Int16Array; from: number; to: number }> {
  const ear = await phone.ear(30);
  const loud = (sample: number): boolean => Math.abs(sample) > 1000;
  return { ear, from: ear.findIndex(loud), to: ear.findLastIndex(loud) };
}

testSpandsp("a caller's name and number after the first burst, and the bell as without them", async () => {
  const rigLine = freshLine();
  const { phone, url } = rigLine;
  using events = await EventListener.open(rigLine.events);
  await phone.clear("bell");
  await phone.listen();
  const answer = await post(`${url}/ring`, { repeat: 2, caller_id: CALLER });
  expect([answer.status, answer.body.caller_id]).toEqual([200, "bell202"]);
  await events.event("ring_stop", { reason: "completed" });
  // The far end of a local span looks at its bell every 2 ms.
  const edges = await eventually(
    () => phone.edges("bell"),
    ({ length }) => length >= 4,
  );
  expect(edges.map(({ on }) => Number(on)).join("")).toBe("1010");
  const lasted = edges.slice(1).map(({ ns }, i) => (ns - (edges[i]?.ns ?? 0)) / 1e6);
  const errors = lasted.map((ms, i) => Math.abs(ms - (i === 1 ? 4000 : 2000)));
  measured("ring with caller ID: bursts and pauses, worst error", Math.max(...errors), "ms");
  expect(Math.max(...errors)).toBeLessThanOrEqual(20);
  const { ear, from, to } = await soundOf(rigLine);
  expect(await hears("class", ear)).toEqual([WHOLE]);
  // The ear opens with on-hook transfer, which begins as the bell falls silent; a local span's had heard idle line before.
  if (address.card === "vfxs") {
    measured("caller ID begins after the burst", from / PERIOD_SAMPLES, "ms");
    measured("caller ID ends before the next burst", 4000 - to / PERIOD_SAMPLES, "ms");
    expect(from / PERIOD_SAMPLES).toBeGreaterThanOrEqual(500);
    expect(from / PERIOD_SAMPLES).toBeLessThanOrEqual(800);
    expect(to / PERIOD_SAMPLES).toBeLessThanOrEqual(4000 - 200);
  }
});

test("a lift in the middle of it: the rest is not heard", async () => {
  const cut = async (): Promise<number> => {
    const rigLine = freshLine();
    const { phone, url } = rigLine;
    using events = await EventListener.open(rigLine.events);
    await phone.listen();
    await post(`${url}/ring`, { pattern: "SINGLE", caller_id: CALLER });
    await events.event("ring_stop", { reason: "completed" });
    await eventually(
      () => soundOf(rigLine),
      ({ from }) => from >= 0,
    );
    await phone.lift();
    await phone.hookScript("1:1500");
    const { ear, from, to } = await soundOf(rigLine);
    expect(ear.length - to).toBeGreaterThan(8000);
    await phone.hangUp();
    return (to - from) / PERIOD_SAMPLES;
  };
  // Its whole is 840 ms of the guest's clock: a busy machine's hand may come too late.
  const heardMs = await eventually(cut, (ms) => ms < 800);
  measured("caller ID cut by a lift: heard of 840 ms", heardMs, "ms");
});

testSpandsp("a waiting call is shown to a telephone that acknowledges the alert", async () => {
  const rigLine = freshLine();
  const { phone, url } = rigLine;
  await phone.lift();
  // A telephone's answer within 160 ms is too quick for our hands: this one says D all the time.
  const saying = phone.speak(toneSamples("D".repeat(50), { on_ms: 60, off_ms: 60 }));
  const answer = await post(`${url}/call-waiting`, { caller_id: CALLER });
  expect(answer.body).toEqual({ status: "success", acknowledged: true, caller_id_sent: true });
  await saying;
  await phone.hookScript("1:300");
  expect(await hears("class", await phone.ear(12))).toEqual([WHOLE]);
  await phone.hangUp();
});

testSpandsp("a waiting message lights the lamp by FSK, and by the card's voltage where it has one", async () => {
  const rigLine = freshLine();
  const { phone, url } = rigLine;
  await phone.listen();
  const { body } = await post(`${url}/message-waiting`, { waiting: true, count: 3 });
  expect(body.lamp).toEqual(address.card === "vfxs" ? ["fsk", "card"] : ["fsk"]);
  const shown = await eventually(
    async () => hears("class", await phone.ear(10)),
    (messages) => messages.length > 0,
  );
  expect(shown).toEqual(["82\t0b=\\xff"]);
  if (address.card === "vfxs") expect(await controls(rigLine)).toContain("vmwi=3");
  await post(`${url}/message-waiting`, { waiting: false });
  await eventually(
    async () => hears("class", await phone.ear(10)),
    (messages) => messages.length > 1,
  );
  if (address.card === "vfxs") expect(await controls(rigLine)).toContain("vmwi=0");
});

test("what the driver can do on-hook is said", async () => {
  const { capabilities } = (await get(`${server().rest}/diagnostics`)).body as { capabilities: Json };
  const able = address.card === "vfxs";
  expect(capabilities).toMatchObject({ on_hook_transfer: able, polarity_reversal: able, message_lamp: able });
});
