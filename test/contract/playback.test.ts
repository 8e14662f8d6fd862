/** Sound sent to a running server: every format, while it arrives, however long it is, and broken. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { EventListener } from "../support/client";
import { FORM_TYPE, fileHead, formTail } from "../support/forms";
import { needs } from "../support/needs";
import { eventually, type RunningServer, startServer } from "../support/server";
import { compare, ENCODERS, mutated, SoundFiles, seeded } from "../support/sound_files";

const missing = ENCODERS.filter((name) => Bun.which(name) === null);
const withFiles = needs(missing.length === 0, `sudo tools/setup.sh test installs ${missing.join(", ")}`);
const files = new SoundFiles();
let server: RunningServer;

beforeAll(async () => {
  server = await startServer({
    arguments: ["--simulate=8"],
    // Bun counts silence in steps of four seconds: with less it may cut a request that just takes a moment.
    environment: { API_TIMEOUT: "5" },
  });
});
afterAll(async () => {
  files[Symbol.dispose]();
  await server[Symbol.asyncDispose]();
});

const post = (path: string, body?: Uint8Array | ReadableStream<Uint8Array>): Promise<Response> =>
  fetch(`${server.rest}${path}`, {
    method: "POST",
    ...(body === undefined ? {} : { body: body as ReadableStream }),
  });
const lift = async (line: number): Promise<void> => {
  expect((await post(`/simulator/lines/${line}/lift`)).status).toBe(200);
};
const hangUp = (line: number): Promise<Response> => post(`/simulator/lines/${line}/hang-up`);

async function ear(line: number, seconds: number): Promise<Int16Array> {
  const wav = await (await fetch(`${server.rest}/simulator/lines/${line}/ear?seconds=${seconds}`)).arrayBuffer();
  return new Int16Array(wav.slice(44));
}

describe("formats", () => {
  withFiles("each is heard as it was made", async () => {
    await lift(1);
    const original = files.original(22_050, 2, 1);
    const reference = files.reference(original);
    for (const format of ["wav", "au", "mp3", "vorbis", "opus", "flac", "oggflac"]) {
      const bytes = files.bytes(files.encoded(format, original));
      const heardAs = async (): Promise<number> => {
        const response = await post("/lines/1/play-audio?wait=true", bytes);
        const answer = (await response.json()) as Record<string, number | string>;
        expect([format, response.status, answer.reason]).toEqual([format, 200, "completed"]);
        expect(Math.abs((answer.duration_ms as number) - 1000)).toBeLessThanOrEqual(1);
        expect(answer.bytes_written).toBe((answer.duration_ms as number) * 16);
        // The ear holds nothing from before the lift: a sound that was heard at once needs room before it.
        const heard = Int16Array.from([...new Int16Array(8000), ...(await ear(1, 2)), ...new Int16Array(400)]);
        let best = 0;
        for (let from = 0; from + 8000 <= heard.length; from += 100)
          best = Math.max(best, compare(heard.subarray(from, from + 8000), reference).snrDb);
        return best;
      };
      // A busy machine may listen when it is over: then it is played again.
      await eventually(heardAs, (snrDb) => snrDb > 18).catch((error: Error) => {
        throw new Error(`${format}: SNR, dB: ${error.message}`);
      });
    }
    await hangUp(1);
  });

  withFiles("broken ones are refused or end; nothing is an error of ours", async () => {
    const original = files.original(16_000, 1, 0.2);
    const random = seeded(5);
    const statuses = new Set<number>();
    await lift(2);
    for (const format of ["wav", "au", "mp3", "vorbis", "opus", "flac", "oggflac"]) {
      const bytes = files.bytes(files.encoded(format, original));
      for (let i = 0; i < 25; i++)
        statuses.add((await post("/lines/2/play-audio", mutated(bytes, random))).status);
    }
    await hangUp(2);
    expect([...statuses].filter((status) => ![200, 415, 422, 429].includes(status))).toEqual([]);
    expect((await fetch(`${server.rest}/health`)).status).toBe(200);
  });
});

describe.each([
  { how: "that is sent as it is", form: false, lines: [3, 4, 5] as const },
  { how: "in a form", form: true, lines: [6, 7, 8] as const },
])("a stream $how", ({ form, lines: [heardLine, stalledLine, longLine] }) => {
  /** Raw sound that comes when it is let go. */
  function held() {
    let controller: ReadableStreamDefaultController<Uint8Array>;
    const body = new ReadableStream<Uint8Array>({
      start(c) {
        controller = c;
        if (form) c.enqueue(fileHead("sound"));
      },
    });
    return {
      body,
      send: (samples: number) => controller.enqueue(new Uint8Array(new Int16Array(samples).fill(1000).buffer)),
      end: () => {
        if (form) controller.enqueue(formTail);
        controller.close();
      },
    };
  }
  const play = (line: number, body: ReadableStream<Uint8Array>): Promise<Response> =>
    fetch(`${server.rest}/lines/${line}/play-audio`, {
      method: "POST",
      body,
      headers: form ? { "content-type": FORM_TYPE } : {},
    });

  test("is heard before its end was sent, and the next one follows it", async () => {
    await lift(heardLine);
    using events = await EventListener.open(`${server.websocket}?line=${heardLine}`);
    const stream = held();
    stream.send(8000);
    const answered = play(heardLine, stream.body);
    const { playback_id } = await events.event("playback_started");
    const next = post(`/lines/${heardLine}/play-audio?wait=true`, new Uint8Array(1600));
    stream.send(4000);
    stream.end();
    const answer = (await (await answered).json()) as Record<string, unknown>;
    expect(answer).toMatchObject({ status: "success", playback_id, duration_ms: null, bytes_written: null });
    expect(await events.event("playback_finished", { playback_id: playback_id as string })).toMatchObject({
      reason: "completed",
      heard_ms: 1500,
    });
    expect(((await (await next).json()) as { reason: string }).reason).toBe("completed");
    await hangUp(heardLine);
  });

  test("that stalls ends with an error, and frees the queue behind it", async () => {
    await lift(stalledLine);
    using events = await EventListener.open(`${server.websocket}?line=${stalledLine}`);
    const stream = held();
    stream.send(8000);
    const answered = play(stalledLine, stream.body);
    await events.event("playback_started");
    const next = post(`/lines/${stalledLine}/play-audio?wait=true`, new Uint8Array(1600));
    expect(await events.event("playback_finished")).toMatchObject({ reason: "error", heard_ms: 1000 });
    const answer = await answered;
    expect(answer.status).toBe(422);
    expect(((await answer.json()) as { code: string }).code).toBe("upload_stalled");
    expect(((await (await next).json()) as { reason: string }).reason).toBe("completed");
    await hangUp(stalledLine);
  });

  test("of 60 MB that waits to be heard takes 8 MB of memory, and ends with the call", async () => {
    await lift(longLine);
    using events = await EventListener.open(`${server.websocket}?line=${longLine}`);
    const megabyte = new Uint8Array(1024 * 1024);
    let sentMb = 0;
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        if (form) controller.enqueue(fileHead("sound"));
      },
      pull(controller) {
        if (sentMb++ === 60) return controller.close();
        controller.enqueue(megabyte);
      },
    });
    const before = await server.residentMb();
    const answered = play(longLine, body);
    await events.event("playback_started");
    let highest = before;
    for (let i = 0; i < 20; i++) {
      highest = Math.max(highest, await server.residentMb());
      await Bun.sleep(50);
    }
    expect(sentMb).toBeLessThan(40);
    expect(highest - before).toBeLessThan(40);
    await hangUp(longLine);
    expect(await events.event("playback_finished")).toMatchObject({ reason: "hung_up" });
    expect((await answered).status).toBe(200);
  });
});
