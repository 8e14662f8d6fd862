/** Sound into the telephone. */
import type { Static } from "@sinclair/typebox";
import { KeptSource, MAX_KEPT_BYTES } from "../../audio/kept_source";
import { FORMATS_TEXT, openAudio } from "../../audio/open";
import type { PcmSource } from "../../audio/source";
import type { Playback } from "../../exchange/verbs";
import type { Call, Endpoint } from "../endpoint";
import { isJson, jsonInput, queryInput, readBody } from "../input";
import { Problem } from "../problem";
import { PlayAnswer } from "../schema";
import { PlayQuery } from "../schema_playback";
import { namedSound, PlayInput } from "../schema_sounds";
import { Upload } from "../upload";

const MS_PER_S = 1000;
const BYTES_PER_MS = 16;

export interface SoundInput {
  source: PcmSource;
  /** null: all of it was here beforehand. */
  upload: Upload | null;
}

/** Any format, as it arrives; or one file of a form as `curl -F` sends it, which is read as a whole before. */
export async function soundInput(call: Call, loudnessDbm0: number | null = null): Promise<SoundInput> {
  const { request, dependencies } = call;
  const type = request.headers.get("content-type") ?? "";
  if (type.startsWith("multipart/form-data")) {
    const source = await openAudio(await formFile(call, type), { loudnessDbm0 });
    return { source, upload: null };
  }
  call.keepOpen();
  const { maxBodyBytes, timeoutS } = dependencies.limits;
  const upload = new Upload(request, { maxBytes: maxBodyBytes, stallMs: timeoutS * MS_PER_S });
  try {
    const source = await openAudio(upload.bytes, { loudnessDbm0, heldBytes: upload.reservedBytes });
    return { source, upload };
  } catch (error) {
    upload.bytes.close();
    throw error;
  }
}

async function formFile({ request, dependencies }: Call, type: string): Promise<Uint8Array> {
  const bytes = await readBody(request, dependencies.limits.maxBodyBytes);
  const form = await new Response(new Uint8Array(bytes), { headers: { "content-type": type } })
    .formData()
    .catch(() => null);
  const file = form ? [...form.values()].find((value) => value instanceof Blob) : null;
  if (file) return new Uint8Array(await file.arrayBuffer());
  throw new Problem(
    422,
    "no_file",
    "The form holds no file: send one, as in curl -F file=@hello.wav, or the bytes alone.",
  );
}

type Options = Static<typeof PlayQuery>;

/** Plays what was opened; answers as POST /play-audio does. */
export async function playAnswer(
  call: Call,
  { source, upload }: SoundInput,
  options: Options,
): Promise<Static<typeof PlayAnswer>> {
  const playback = await play(call, source, options);
  // Bun takes no more of a body once it was answered.
  await Promise.race([upload?.over, playback.finished]);
  if (upload?.bytes.failure) throw upload.bytes.failure;
  const answer = {
    status: "success" as const,
    bytes_written: playback.bytes,
    playback_id: playback.playbackId,
    duration_ms: playback.durationMs,
  };
  if (!options.wait) return answer;
  call.keepOpen();
  const { reason, heardMs, bargedBy } = await playback.finished;
  const told = { ...answer, reason, heard_ms: heardMs, ...(bargedBy ? { barged_by: bargedBy } : {}) };
  if (playback.durationMs !== null || reason !== "completed") return told;
  return { ...told, duration_ms: heardMs, bytes_written: heardMs * BYTES_PER_MS };
}

/** What is looped is in memory before it begins. */
export async function inMemory(kept: KeptSource): Promise<void> {
  const gathered = await kept.gather();
  if (gathered === "whole") return;
  if (gathered === "no_room") {
    throw new Problem(
      429,
      "queue_full",
      "Too many sounds are kept in memory: try again when some of them ended.",
      {
        headers: { "retry-after": "1" },
      },
    );
  }
  const longestS = Math.floor(MAX_KEPT_BYTES / BYTES_PER_MS / MS_PER_S);
  throw new Problem(422, "too_long_to_loop", `Only what is shorter than ${longestS} s can be looped: send less.`);
}

async function play(call: Call, source: PcmSource, options: Options): Promise<Playback> {
  const { when = "now", mode, loop = 1, gain_db, barge_in } = options;
  const kept = KeptSource.of(source);
  try {
    if (loop !== 1) await inMemory(kept);
    return call.dependencies.exchange.play(call.line, kept, {
      when,
      loop,
      ...(mode === undefined ? {} : { mode }),
      ...(gain_db === undefined ? {} : { gainDb: gain_db }),
      ...(barge_in === undefined ? {} : { bargeIn: barge_in }),
    });
  } catch (error) {
    kept.close();
    throw error;
  }
}

export const SOUND_ENDPOINTS: readonly Endpoint[] = [
  {
    method: "POST",
    path: "/play-audio",
    scope: "line",
    tag: "Sound",
    summary: "Play sound to the ear",
    description:
      `${FORMATS_TEXT}; told apart by the first bytes, any rate and channels. Queued behind what is playing. While ` +
      "ringing it waits for the answer. Playing starts as soon as the first of it has arrived. Answers when all of it " +
      "was taken over, at once for files of up to 8 MB; longer ones are taken over as they are heard. With wait=true " +
      "it answers when all was heard. duration_ms and bytes_written are null where the file does not say how long " +
      "it is (MP3, Ogg, a stream). With content-type application/json the body names a sound instead: a url, a prompt, " +
      "a text to say, or a tone; it answers when the first of it is there. What turns out broken on the way ends with playback_finished, reason error.",
    query: PlayQuery,
    body: "sound",
    named: PlayInput,
    example: { tone: "dial", when: "off_hook" },
    answer: PlayAnswer,
    problems: [400, 404, 409, 413, 415, 422, 429, 501, 503, 504],
    handle: async (call) => {
      if (!isJson(call.request)) {
        const options = queryInput(PlayQuery, call.query);
        return await playAnswer(call, await soundInput(call, options.loudness_dbm0 ?? null), options);
      }
      const input = await jsonInput(PlayInput, call.request, call.query);
      const source = await namedSound(call, input, input.loudness_dbm0 ?? null);
      return await playAnswer(call, { source, upload: null }, input);
    },
  },
];
