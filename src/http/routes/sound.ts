/** Sound into the telephone. */
import type { Static } from "@sinclair/typebox";
import { KeptSource, MAX_KEPT_BYTES } from "../../audio/kept_source";
import { FORMATS_TEXT, openAudio } from "../../audio/open";
import type { PcmSource } from "../../audio/source";
import type { Playback } from "../../exchange/verbs";
import type { Call, Endpoint } from "../endpoint";
import { parsedInput, queryInput } from "../input";
import { Problem } from "../problem";
import { PlayAnswer } from "../schema";
import { PlayQuery } from "../schema_playback";
import { namedSound, PlayInput } from "../schema_sounds";
import { soundBody } from "../sound_body";
import type { Upload } from "../upload";

const MS_PER_S = 1000;
const BYTES_PER_MS = 16;

export interface SoundInput {
  source: PcmSource;
  /** null: all of it was here beforehand. */
  upload: Upload | null;
}

/** Throws what is wrong with it; the upload is then refused. */
export async function openUpload(upload: Upload, loudnessDbm0: number | null): Promise<PcmSource> {
  return await upload.usedBy(() => openAudio(upload.bytes, { loudnessDbm0, heldBytes: upload.reservedBytes }));
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
      "it is (MP3, Ogg, a stream, raw sound in a form). In a form the first file is played, while it arrives as well. With " +
      "JSON as its body it names a sound instead: a url, a prompt, a text to say, or a tone; it answers when the first of " +
      "it is there. What turns out broken on the way ends with playback_finished, reason error.",
    query: PlayQuery,
    body: "sound",
    named: PlayInput,
    example: { tone: "dial", when: "off_hook" },
    answer: PlayAnswer,
    problems: [400, 404, 409, 413, 415, 422, 429, 501, 503, 504],
    handle: async (call) => {
      const { json, upload } = await soundBody(call);
      if (upload) {
        const options = await upload.usedBy(() => queryInput(PlayQuery, call.query));
        const source = await openUpload(upload, options.loudness_dbm0 ?? null);
        return await playAnswer(call, { source, upload }, options);
      }
      const input = parsedInput(PlayInput, json, call.query);
      const source = await namedSound(call, input, input.loudness_dbm0 ?? null);
      return await playAnswer(call, { source, upload: null }, input);
    },
  },
];
