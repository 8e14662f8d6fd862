/** What a telephone says, kept: started on a line, fetched by its id. */
import { Type } from "@sinclair/typebox";
import { timestamp } from "../../events/published";
import type { Recording } from "../../recordings/recording";
import { fileAnswer } from "../byte_range";
import type { Endpoint } from "../endpoint";
import { jsonInput, Nothing, queryInput } from "../input";
import { Problem } from "../problem";
import {
  RecordAnswer,
  RecordInput,
  RecordingAnswer,
  RecordingsQuery,
  RecordStopAnswer,
} from "../schema_recordings";

function shown({ id, line, source, startedAtMs, state, durationMs, bytes, lostMs, reason }: Recording) {
  const started = timestamp(startedAtMs);
  return { id, line, source, started, state, duration_ms: durationMs, bytes, lost_ms: lostMs, reason };
}

function verbAnswer(recording: Recording) {
  const { id, ...rest } = shown(recording);
  return { status: "success", recording_id: id, ...rest };
}

const RecordingAudioQuery = Type.Object(
  {
    format: Type.Optional(
      Type.Union([Type.Literal("wav"), Type.Literal("flac")], { description: "Omitted: wav" }),
    ),
  },
  { additionalProperties: false },
);

const ofLine = { method: "POST", scope: "line", tag: "Recordings" } as const;
const ofStore = { scope: "server", tag: "Recordings" } as const;

export const RECORDING_ENDPOINTS: readonly Endpoint[] = [
  {
    ...ofLine,
    path: "/record",
    summary: "Record the telephone",
    description:
      "Of a lifted line; while ringing it waits for the answer, with when=off_hook for the lift. Answers at once. It " +
      "ends by POST /record/stop, at max_duration, by silence_timeout or finish_on_key, and when the telephone is hung up: " +
      "recording_finished tells which, when the file can be fetched.",
    body: RecordInput,
    example: { when: "off_hook", finish_on_key: "#", max_duration: 60_000 },
    answer: RecordAnswer,
    problems: [400, 409, 415, 422, 429, 503, 507],
    handle: async ({ request, query, line, dependencies }) => {
      const input = await jsonInput(RecordInput, request, query);
      const { recordingId } = await dependencies.exchange.record(line, {
        when: input.when ?? "now",
        ...(input.source === undefined ? {} : { source: input.source }),
        ...(input.max_duration === undefined ? {} : { maxDurationMs: input.max_duration }),
        ...(input.silence_timeout === undefined ? {} : { silenceTimeoutMs: input.silence_timeout }),
        ...(input.finish_on_key === undefined ? {} : { finishOnKey: input.finish_on_key }),
        ...(input.beep === undefined ? {} : { beep: input.beep }),
        ...(input.trim === undefined ? {} : { trim: input.trim }),
      });
      return { status: "success", recording_id: recordingId };
    },
  },
  {
    ...ofLine,
    path: "/record/stop",
    summary: "End the recording",
    description: "Answers when the file is closed. One that waits for a lift or its beep is dropped.",
    answer: RecordStopAnswer,
    problems: [409, 422],
    handle: async ({ request, query, line, dependencies }) => {
      await jsonInput(Nothing, request, query);
      return verbAnswer(await dependencies.exchange.stopRecording(line));
    },
  },
  {
    ...ofLine,
    path: "/record/pause",
    summary: "Leave out what comes until /record/resume",
    description:
      "max_duration and silence_timeout wait meanwhile; a finishing key and hanging up end it all the same.",
    answer: RecordStopAnswer,
    problems: [409, 422],
    handle: async ({ request, query, line, dependencies }) => {
      await jsonInput(Nothing, request, query);
      return verbAnswer(dependencies.exchange.pauseRecording(line));
    },
  },
  {
    ...ofLine,
    path: "/record/resume",
    summary: "Go on after a pause",
    answer: RecordStopAnswer,
    problems: [409, 422],
    handle: async ({ request, query, line, dependencies }) => {
      await jsonInput(Nothing, request, query);
      return verbAnswer(dependencies.exchange.resumeRecording(line));
    },
  },
  {
    ...ofStore,
    method: "GET",
    path: "/recordings",
    summary: "All recordings, the oldest first",
    description: "Those under way among them: state tells.",
    query: RecordingsQuery,
    answer: Type.Object({ recordings: Type.Array(RecordingAnswer) }),
    problems: [404, 422],
    handle: async ({ query, dependencies: { recordings } }) => {
      const { line } = queryInput(RecordingsQuery, query);
      return { recordings: (await recordings.list(line ?? null)).map(shown) };
    },
  },
  {
    ...ofStore,
    method: "GET",
    path: "/recordings/:recording_id",
    summary: "One recording",
    answer: RecordingAnswer,
    problems: [404],
    handle: async ({ params, dependencies: { recordings } }) =>
      shown(await recordings.get(params.recording_id ?? "")),
  },
  {
    ...ofStore,
    method: "GET",
    path: "/recordings/:recording_id/audio",
    summary: "Its sound",
    description:
      "WAV, 8 kHz, 16 bit. Ranges are answered, so that players can seek. With format=flac the same samples as FLAC, " +
      "about half as large, made while it is sent, without ranges; two at once, 429 beyond. 409 while it is being recorded.",
    query: RecordingAudioQuery,
    answer: { mediaType: "audio/wav" },
    problems: [404, 409, 416, 422, 429, 503],
    handle: async ({ request, params, query, dependencies: { recordings, flacFiles } }) => {
      const { format } = queryInput(RecordingAudioQuery, query);
      const id = params.recording_id ?? "";
      const file = Bun.file(await recordings.soundPath(id));
      if (!(await file.exists())) {
        throw new Problem(404, "unknown_recording", "The sound of this recording is no longer on the disk.");
      }
      if (format === "flac") {
        const name = `inline; filename="${id}.flac"`;
        const headers = { "content-type": "audio/flac", "content-disposition": name, "accept-ranges": "none" };
        return new Response(flacFiles.stream(await recordings.soundPath(id)), { headers });
      }
      return fileAnswer(request, file, { etag: `"${id}"`, mediaType: "audio/wav", name: `${id}.wav` });
    },
  },
  {
    ...ofStore,
    method: "DELETE",
    path: "/recordings/:recording_id",
    summary: "Delete a recording",
    description: "For ever. 409 while it is being recorded.",
    answer: { mediaType: "application/json" },
    success: 204,
    problems: [404, 409, 503],
    handle: async ({ params, dependencies: { recordings } }) => {
      await recordings.delete(params.recording_id ?? "");
      return new Response(null, { status: 204 });
    },
  },
];
