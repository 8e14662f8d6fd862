/** What others' displays make of a ring, a waiting call and a waiting message, at a simulated telephone's ear. */
import { afterAll, describe, expect } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ALERT_HZ } from "../../src/audio/caller_id/alert";
import { encodeWav } from "../../src/audio/wav";
import type { CallerIdRequest, RingRequest } from "../../src/exchange/verbs";
import { goertzelDbm0 } from "../support/level";
import { stepped } from "../support/stepped";
import { hears, testMinimodem, testSpandsp } from "./display";
import { told } from "./peer";

const CALLER = { name: "Zoë Müller", number: "+1 202-555-0100", time: "2026-12-31T23:59" };
const TIME = "01=12312359";
const WHOLE = `80\t${TIME}\t02=12025550100\t07=Zoe Muller`;

/** Mu-law and a hybrid, as a card has them. */
async function earOfRing(request: RingRequest, callerIdScheme: string): Promise<Int16Array> {
  using phone = await stepped({ callerIdScheme });
  await phone.until(phone.exchange.ring(1, request));
  await phone.advance(8500);
  return phone.handsets.ear(1, 20).slice();
}

describe("at the ear of a telephone that rings", () => {
  for (const [scheme, standard] of [
    ["bell202", "class"],
    ["v23", "clip"],
    ["v23_before_ringing", "clip"],
  ] as const) {
    testSpandsp(`spandsp shows the caller by ${scheme}`, async () => {
      const shown = async (callerId: CallerIdRequest) => hears(standard, await earOfRing({ callerId }, scheme));
      expect(await shown(CALLER)).toEqual([WHOLE]);
      const { time } = CALLER;
      expect(await shown({ number: "100", time })).toEqual([`80\t${TIME}\t02=100`]);
      expect(await shown({ name: "Only a name", time })).toEqual([`80\t${TIME}\t04=O\t07=Only a name`]);
      expect(await shown({ absent: "private", time })).toEqual([`80\t${TIME}\t04=P\t08=P`]);
    });
  }

  testSpandsp("spandsp shows it once however often the bell rings, and after a distinctive pattern", async () => {
    expect(await hears("class", await earOfRing({ repeat: 2, callerId: CALLER }, "bell202"))).toEqual([WHOLE]);
    const distinctive = { pattern: "DISTINCTIVE2", callerId: CALLER };
    expect(await hears("class", await earOfRing(distinctive, "bell202"))).toEqual([WHOLE]);
  });

  testSpandsp("spandsp shows the number by keys before the bell", async () => {
    const heard = await earOfRing({ callerId: CALLER }, "dtmf_a_c");
    expect(await hears("clip_dtmf", heard)).toEqual(["43\t41=12025550100"]);
  });

  testSpandsp("the time is this machine's where none is given", async () => {
    const [shown] = await hears("class", await earOfRing({ callerId: { number: "1" } }, "bell202"));
    const twoDigits = (value: number): string => String(value).padStart(2, "0");
    const now = new Date(Date.UTC(2026, 0, 29, 12));
    const local = [now.getMonth() + 1, now.getDate(), now.getHours(), now.getMinutes()].map(twoDigits).join("");
    expect(shown).toBe(`80\t01=${local}\t02=1`);
  });

  const folder = mkdtempSync(join(tmpdir(), "dahdi-caller-id-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  testMinimodem("minimodem shows the caller by bell202", async () => {
    const path = join(folder, "ear.wav");
    writeFileSync(path, encodeWav(await earOfRing({ callerId: CALLER }, "bell202")));
    expect(await told(["minimodem", "--rx", "callerid", "--file", path])).toBe(
      "CALLER-ID\nTime:  12/31 23:59\nPhone: 12025550100\nName:  Zoe Muller\n",
    );
  });
});

testSpandsp("a waiting call is shown to a telephone that acknowledges the alert", async () => {
  using phone = await stepped();
  await phone.until(phone.handsets.lift(1));
  await phone.advance(500);
  const asked = phone.exchange.callWaiting(1, CALLER);
  let alerted = false;
  for (let ms = 0; ms < 2000; ms += 10) {
    await phone.advance(10);
    const newest = phone.handsets.ear(1, 0.02);
    const alert = ALERT_HZ.every((hz) => goertzelDbm0(newest, hz) > -20);
    if (alerted && !alert) break;
    alerted ||= alert;
  }
  void phone.handsets.press(1, { digits: "D", onMs: 60, offMs: 0, levelDbm0: -10, twistDb: 0 });
  expect(await phone.until(asked)).toEqual({ acknowledged: true, callerIdSent: true });
  await phone.advance(300);
  expect(await hears("class", phone.handsets.ear(1, 2))).toEqual([WHOLE]);
});

testSpandsp("a waiting message lights the lamp of an idle telephone, and puts it out", async () => {
  for (const [callerIdScheme, standard] of [
    ["bell202", "class"],
    ["v23", "clip"],
  ] as const) {
    using phone = await stepped({ callerIdScheme });
    phone.exchange.messageWaiting(1, { waiting: true });
    await phone.advance(3000);
    expect(await hears(standard, phone.handsets.ear(1, 30))).toEqual(["82\t0b=\\xff"]);
    phone.exchange.messageWaiting(1, { waiting: false });
    await phone.advance(3000);
    expect(await hears(standard, phone.handsets.ear(1, 30))).toEqual(["82\t0b=\\xff", "82\t0b=\\x00"]);
  }
});
