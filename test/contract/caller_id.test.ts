/** Caller ID, waiting calls and waiting messages by REST, on whatever telephones there are. */
import { describe, expect, test } from "bun:test";
import { rig } from "../support/backend";
import { get, type Json, post } from "../support/client";
import { goertzelDbm0, rmsDbm0 } from "../support/level";
import { needs } from "../support/needs";
import { eventually } from "../support/server";
import { sharedTelephones } from "../support/shared_telephones";

const phones = sharedTelephones(12);
const { freshLine } = phones;
const CALLER = { name: "Zoë Müller", number: "+1 202-555-0100" };
/** A card lets an on-hook ear hear for so long as it was told to, though the machine stands still meanwhile. */
const WHOLE_LIMIT_MS = 8000;
const simulated = needs(rig === null, "heard on real drivers by test/rig/caller_id.test.ts");

describe("POST /ring {caller_id}", () => {
  test("says how it is told; without it the answer is as ever", async () => {
    const { url } = freshLine();
    const answer = await post(`${url}/ring`, { pattern: "SINGLE", caller_id: CALLER });
    const told = { status: "success", pattern: "SINGLE", repeat: 1, duration: null, caller_id: "bell202" };
    expect([answer.status, answer.body]).toEqual([200, told]);
    await post(`${url}/stop-ring`);
    expect(await post(`${url}/ring`, { pattern: "SINGLE" })).toMatchObject({ status: 200 });
    await post(`${url}/stop-ring`);
  });

  simulated("is heard on-hook in the two tones of Bell 202", async () => {
    const heard = async (): Promise<Int16Array | null> => {
      const { url, phone } = freshLine();
      expect((await phone.ear(1)).length).toBe(0);
      await post(`${url}/ring`, { pattern: "SINGLE", caller_id: CALLER });
      // 540 ms of silence, the seizure and the message, 200 ms of silence.
      return eventually(
        () => phone.ear(20),
        (samples) => samples.length > 12_000,
        WHOLE_LIMIT_MS,
      ).catch(() => null);
    };
    const ear = (await eventually(heard, (samples) => samples !== null)) as Int16Array;
    const from = ear.findIndex((sample) => Math.abs(sample) > 500);
    expect(from).toBeGreaterThanOrEqual(500 * 8);
    const seizure = ear.subarray(from, from + 1600);
    expect(rmsDbm0(seizure)).toBeCloseTo(-13.5, 0);
    const mark = ear.subarray(from + 2100, from + 3100);
    expect(goertzelDbm0(mark, 1200)).toBeGreaterThan(-15);
    expect(goertzelDbm0(mark, 2200)).toBeLessThan(-40);
  });

  test("a number that is none, or no room for it: 422 with the field, and nothing rings", async () => {
    const { url } = freshLine();
    const cases: [Json, string][] = [
      [{ caller_id: { number: "call me" } }, "caller_id.number"],
      [{ caller_id: { number: "" } }, "caller_id.number"],
      [{ caller_id: { number: "123456789012345678901" } }, "caller_id.number"],
      [{ caller_id: { number: "1", absent: "private" } }, "caller_id.absent"],
      [{ caller_id: { absent: "shy" } }, "caller_id.absent"],
      [{ caller_id: { time: "noon" } }, "caller_id.time"],
      [{ caller_id: { colour: "red" } }, "caller_id.colour"],
      [{ caller_id: { name: 7 } }, "caller_id.name"],
      [{ caller_id: CALLER, pattern: "CONTINUOUS" }, "caller_id"],
      [{ caller_id: CALLER, pattern: "URGENT", repeat: 0 }, "caller_id"],
    ];
    for (const [body, field] of cases) {
      const answer = await post(`${url}/ring`, body);
      expect([answer.status, (answer.body.errors as Json[])[0]?.field]).toEqual([422, field]);
    }
    expect((await get(`${url}/status`)).body.state).toBe("IDLE");
  });
});

describe("POST /call-waiting", () => {
  test("needs a lifted telephone; one that is silent is sent no FSK", async () => {
    const { url, phone } = freshLine();
    expect(await post(`${url}/call-waiting`)).toMatchObject({ status: 409, body: { code: "line_on_hook" } });
    await phone.lift();
    expect((await post(`${url}/call-waiting`)).body).toEqual({
      status: "success",
      acknowledged: null,
      caller_id_sent: false,
    });
    expect((await post(`${url}/call-waiting`, { caller_id: CALLER })).body).toEqual({
      status: "success",
      acknowledged: false,
      caller_id_sent: false,
    });
    const wrong = await post(`${url}/call-waiting`, { caller_id: { number: "x" } });
    expect([wrong.status, wrong.body.code]).toEqual([422, "invalid_input"]);
    await phone.hangUp();
  });
});

describe("POST /message-waiting", () => {
  test("stands in the status until it is taken back; counts that do not fit are refused", async () => {
    const { url } = freshLine();
    const waiting = async (): Promise<unknown> => (await get(`${url}/status`)).body.message_waiting;
    expect(await waiting()).toBe(false);
    expect((await post(`${url}/message-waiting`, { waiting: true, count: 2 })).body).toEqual({
      status: "success",
      waiting: true,
      count: 2,
      stutter_dial_tone: false,
      lamp: ["fsk"],
    });
    expect(await waiting()).toBe(true);
    for (const body of [{}, { waiting: "perhaps" }, { waiting: true, count: 0 }, { waiting: false, count: 1 }]) {
      expect((await post(`${url}/message-waiting`, body)).status).toBe(422);
    }
    expect(await waiting()).toBe(true);
    expect((await post(`${url}/message-waiting?waiting=false`)).body).toMatchObject({ waiting: false, count: 0 });
    expect(await waiting()).toBe(false);
  });

  simulated("tells the lamp of an idle telephone by FSK", async () => {
    const { url, phone } = freshLine();
    await post(`${url}/message-waiting`, { waiting: true });
    const ear = await eventually(
      () => phone.ear(20),
      (samples) => samples.some((sample) => Math.abs(sample) > 4000),
    );
    expect(ear.findIndex((sample) => Math.abs(sample) > 500)).toBeGreaterThanOrEqual(300 * 8);
  });
});
