/** What plays, and the hand on it. */
import type { PlaybackStatus } from "../../exchange/playback";
import type { Call, Endpoint } from "../endpoint";
import { jsonInput, Nothing } from "../input";
import { Problem } from "../problem";
import {
  PlaybackAnswer,
  PlaybacksAnswer,
  PlaybackVerbAnswer,
  SeekInput,
  StopPlaybackAnswer,
  StopPlaybackInput,
} from "../schema_playback";

const shown = (status: PlaybackStatus) => ({
  playback_id: status.playbackId,
  line: status.line,
  state: status.state,
  mode: status.mode,
  awaits: status.awaits,
  position_ms: status.positionMs,
  round: status.round,
  sound_ms: status.soundMs,
  duration_ms: status.durationMs,
  loop: status.loop,
  gain_db: status.gainDb,
  barge_in: status.bargeIn,
  seekable: status.seekable,
  heard_ms: status.heardMs,
  reason: status.reason,
  barged_by: status.bargedBy,
});

const idOf = ({ params }: Call): string => params.playback_id ?? "";

const OF_ONE = { method: "POST", scope: "server", tag: "Sound", answer: PlaybackVerbAnswer } as const;

const verb = (name: "pause" | "resume" | "stop", summary: string, description: string): Endpoint => ({
  ...OF_ONE,
  path: `/playbacks/:playback_id/${name}`,
  summary,
  description,
  problems: [404, 409, 422, 503],
  handle: async (call) => {
    await jsonInput(Nothing, call.request, call.query);
    return { status: "success", ...shown(await call.dependencies.exchange.playbacks[name](idOf(call))) };
  },
});

export const PLAYBACK_ENDPOINTS: readonly Endpoint[] = [
  {
    method: "GET",
    path: "/playbacks",
    scope: "line",
    tag: "Sound",
    summary: "What plays, waits, and ended last",
    answer: PlaybacksAnswer,
    problems: [],
    handle: ({ line, dependencies: { exchange } }) => ({ playbacks: exchange.playbacks.list(line).map(shown) }),
  },
  {
    method: "POST",
    path: "/stop-playback",
    scope: "line",
    tag: "Sound",
    summary: "Stop what plays",
    description:
      "Everything that plays or waits on the line, or the one that playback_id names. It fades out in 5 ms. Answers " +
      "when it is silent; that nothing played is no error.",
    body: StopPlaybackInput,
    example: {},
    answer: StopPlaybackAnswer,
    problems: [400, 404, 409, 415, 422],
    handle: async ({ request, query, line, dependencies: { exchange } }) => {
      const { playback_id } = await jsonInput(StopPlaybackInput, request, query);
      if (playback_id === undefined) {
        return { status: "success", stopped: (await exchange.playbacks.stopAll(line)).map(shown) };
      }
      if (exchange.playbacks.find(playback_id).line !== line) {
        throw new Problem(
          404,
          "unknown_playback",
          "It is a playback of another line: POST /playbacks/{playback_id}/stop.",
        );
      }
      return { status: "success", stopped: [shown(await exchange.playbacks.stop(playback_id))] };
    },
  },
  {
    method: "GET",
    path: "/playbacks/:playback_id",
    scope: "server",
    tag: "Sound",
    summary: "One playback",
    description: "Of those that play or wait, and the 32 of each line that ended last.",
    answer: PlaybackAnswer,
    problems: [404],
    handle: (call) => shown(call.dependencies.exchange.playbacks.find(idOf(call))),
  },
  verb(
    "pause",
    "Pause it",
    "Fades out in 5 ms, and what is queued behind it waits. Only of what is heard: 409 otherwise.",
  ),
  verb("resume", "Go on after a pause", "At the very sample where it stood still, fading in."),
  {
    ...OF_ONE,
    path: "/playbacks/:playback_id/seek",
    summary: "Go to another place",
    description:
      "Fades out where it is and in where it goes on, 5 ms each. One that waits will begin there; a paused one stays " +
      "paused. 409 not_seekable where it is too long to be kept in memory.",
    body: SeekInput,
    example: { position_ms: 10_000 },
    problems: [400, 404, 409, 415, 422],
    handle: async (call) => {
      const { position_ms } = await jsonInput(SeekInput, call.request, call.query);
      const status = await call.dependencies.exchange.playbacks.seek(idOf(call), position_ms);
      return { status: "success", ...shown(status) };
    },
  },
  verb("stop", "Stop it", "Fades out in 5 ms; what is queued behind it is heard. Answers when it is silent."),
];
