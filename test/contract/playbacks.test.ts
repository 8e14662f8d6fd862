/** Playbacks steered from outside: shown, paused, sought in, replaced, mixed, looped, barged in upon, stopped. */
import { describe, expect, test } from "bun:test";
import { type Answer, EventListener, get, type Json, post, postBytes } from "../support/client";
import { refused, sharedTelephones } from "../support/shared_telephones";
import { sine } from "../support/stepped";

const phones = sharedTelephones(10);
const { freshLine } = phones;
const tone = (ms: number): Uint8Array<ArrayBuffer> => new Uint8Array(sine(440, ms).buffer as ArrayBuffer);
const eventsOf = (line: number): Promise<EventListener> =>
  EventListener.open(`${phones.server.websocket}?line=${line}`);

async function play(url: string, ms: number, query = ""): Promise<string> {
  const { status, body } = await postBytes(`${url}/play-audio${query}`, tone(ms));
  expect({ status, body }).toMatchObject({ status: 200, body: { status: "success" } });
  return String(body.playback_id);
}

const shown = async (id: string): Promise<Json> => (await get(`${phones.server.rest}/playbacks/${id}`)).body;
const act = (id: string, verb: string, body?: unknown): Promise<Answer> =>
  post(`${phones.server.rest}/playbacks/${id}/${verb}`, body);

describe("a playback", () => {
  test("is shown while it waits, while it is heard, and afterwards", async () => {
    const { line, url, phone } = freshLine();
    using events = await eventsOf(line);
    const long = await play(url, 60_000, "?when=off_hook");
    const id = await play(url, 400, "?when=off_hook");
    expect(await shown(id)).toMatchObject({
      playback_id: id,
      line,
      state: "waiting",
      awaits: "lift",
      sound_ms: 400,
    });
    await phone.lift();
    await events.event("playback_started", { playback_id: long });
    expect(await shown(long)).toMatchObject({ state: "playing", awaits: null, reason: null });
    await act(long, "stop");
    await events.event("playback_finished", { playback_id: id });
    expect(await shown(id)).toMatchObject({
      state: "finished",
      reason: "completed",
      heard_ms: 400,
      position_ms: 400,
    });
    expect((await get(`${url}/playbacks`)).body.playbacks).toMatchObject([
      { playback_id: id },
      { playback_id: long },
    ]);
    refused(await get(`${phones.server.rest}/playbacks/none`), 404, "unknown_playback");
    refused(await get(`${phones.server.rest}/lines/99/playbacks`), 404, "unknown_line");
    for (const verb of ["pause", "resume", "stop"]) refused(await act(id, verb), 409, "playback_finished");
    refused(await act(id, "seek", { position_ms: 0 }), 409, "playback_finished");
    refused(await act("none", "pause"), 404, "unknown_playback");
    await phone.hangUp();
  });

  test("is paused, sought in, resumed and stopped; each is told", async () => {
    const { line, url, phone } = freshLine();
    using events = await eventsOf(line);
    await phone.lift();
    const id = await play(url, 60_000);
    const behind = await play(url, 60_000);
    await events.event("playback_started", { playback_id: id });
    refused(await act(behind, "pause"), 409, "not_playing");
    refused(await act(id, "resume"), 409, "not_paused");
    const paused = await act(id, "pause");
    expect(paused).toMatchObject({ status: 200, body: { status: "success", state: "paused" } });
    await events.event("playback_paused", { playback_id: id, position_ms: paused.body.position_ms });
    refused(await act(id, "pause"), 409, "not_playing");
    refused(await act(id, "seek", { position_ms: 60_001 }), 422, "invalid_input");
    refused(await act(id, "seek", {}), 422, "invalid_input");
    const sought = await act(id, "seek", { position_ms: 50_000 });
    expect(sought.body).toMatchObject({ state: "paused", position_ms: 50_000 });
    await act(id, "resume");
    await events.event("playback_resumed", { playback_id: id, position_ms: 50_000 });
    const stopped = await act(id, "stop");
    expect(stopped.body).toMatchObject({ state: "finished", reason: "stopped" });
    await events.event("playback_finished", { playback_id: id, heard_ms: stopped.body.heard_ms });
    await events.event("playback_started", { playback_id: behind });
    await phone.hangUp();
  });

  test("replaces what plays and waits; is looped; louder or softer within bounds", async () => {
    const { line, url, phone } = freshLine();
    using events = await eventsOf(line);
    await phone.lift();
    const first = await play(url, 60_000);
    await events.event("playback_started", { playback_id: first });
    const looped = await postBytes(`${url}/play-audio?mode=replace&loop=3&gain_db=-6&wait=true`, tone(100));
    expect(looped.body).toMatchObject({
      reason: "completed",
      duration_ms: 300,
      bytes_written: 4800,
      heard_ms: 300,
    });
    await events.event("playback_finished", { playback_id: first, reason: "replaced" });
    const named = await post(`${url}/play-audio`, { tone: "busy", mode: "replace", loop: 0, gain_db: -12 });
    expect(await shown(String(named.body.playback_id))).toMatchObject({
      loop: 0,
      gain_db: -12,
      duration_ms: null,
    });
    for (const query of ["mode=under", "loop=-1", "loop=1.5", "gain_db=13", "gain_db=-41", "barge_in=cough"]) {
      refused(await postBytes(`${url}/play-audio?${query}`, tone(100)), 422, "invalid_input");
    }
    const tooLong = new Uint8Array(9 * 1024 * 1024);
    refused(await postBytes(`${url}/play-audio?loop=0`, tooLong), 422, "too_long_to_loop");
    expect((await get(`${url}/playbacks`)).body.playbacks).toHaveLength(3);
    await phone.hangUp();
  });

  test("is mixed over what plays, three at most", async () => {
    const { line, url, phone } = freshLine();
    using events = await eventsOf(line);
    await phone.lift();
    await play(url, 60_000);
    const over = await play(url, 200, "?mode=mix");
    expect(await events.event("playback_finished", { playback_id: over })).toMatchObject({ heard_ms: 200 });
    for (let i = 0; i < 3; i++) await play(url, 60_000, "?mode=mix&gain_db=-20");
    refused(await postBytes(`${url}/play-audio?mode=mix`, tone(100)), 429, "queue_full");
    const { body } = await post(`${url}/stop-playback`);
    expect((body.stopped as Json[]).map(({ reason }) => reason)).toEqual(Array(4).fill("stopped"));
    expect((await post(`${url}/stop-playback`, {})).body).toEqual({ status: "success", stopped: [] });
    await phone.hangUp();
  });

  test("is stopped alone by its id, of its own line only", async () => {
    const { url, phone } = freshLine();
    const other = freshLine();
    await phone.lift();
    const id = await play(url, 60_000);
    const waits = await play(url, 60_000);
    refused(await post(`${other.url}/stop-playback`, { playback_id: id }), 404, "unknown_playback");
    refused(await post(`${url}/stop-playback`, { playback: id }), 422, "invalid_input");
    const { body } = await post(`${url}/stop-playback`, { playback_id: waits });
    expect(body.stopped).toMatchObject([{ playback_id: waits, reason: "stopped", heard_ms: 0 }]);
    expect(await shown(id)).toMatchObject({ reason: null });
    await phone.hangUp();
  });

  test("is barged in upon by a key, whose event follows", async () => {
    const { line, url, phone } = freshLine();
    using events = await eventsOf(line);
    await phone.lift();
    const waited = postBytes(`${url}/play-audio?barge_in=dtmf&wait=true`, tone(60_000));
    const { playback_id } = await events.event("playback_started");
    await phone.press("7");
    const told = { reason: "barged", barged_by: "dtmf" };
    const { heard_ms } = await events.event("playback_finished", { playback_id, ...told });
    await events.event("dtmf", { digit: "7" });
    expect((await waited).body).toMatchObject({ ...told, heard_ms });
    await phone.hangUp();
  });
});
