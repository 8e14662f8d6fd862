/** One WebSocket with live audio: what was asked for, and what was counted since. */
import { SAMPLE_FORMATS, type SampleFormat, type SampleFormatName } from "../../audio/sample_format";
import { TELEPHONE_RATE_HZ } from "../../audio/source";
import type { AudioSession } from "../../exchange/live_audio";
import type { Token } from "../../security/token";

/** What of Bun's ServerWebSocket is needed. */
export interface AudioSocket {
  send(data: string | Uint8Array<ArrayBuffer>): number;
  ping(): number;
  close(code?: number, reason?: string): void;
  getBufferedAmount(): number;
}

export interface AudioSocketRequest {
  /** null: none is needed. */
  token: Token | null;
  address: string;
  line: number;
  format: SampleFormatName;
  frameMs: number;
  listen: boolean;
  talk: boolean;
  mixed: boolean;
  when: "now" | "off_hook";
  bufferMs: number | undefined;
  maxBufferMs: number | undefined;
}

export interface AudioClient {
  leaveSeat(): void;
  request: AudioSocketRequest;
  format: SampleFormat;
  socket: AudioSocket;
  session: AudioSession | null;
  /** Half of a sample, at the end of a frame. */
  half: Uint8Array;
  framesIn: number;
  samplesIn: number;
  samplesOut: number;
  framesOut: number;
  /** Since the start, and of those not told yet. */
  lostSamples: number;
  untoldSamples: number;
  arrivedAtMs: number | null;
  arrivedMs: number;
  jitterMs: number;
  windowStartedAtMs: number;
  framesInWindow: number;
  textsInWindow: number;
}

export function newClient(socket: AudioSocket, request: AudioSocketRequest, leaveSeat: () => void): AudioClient {
  return {
    leaveSeat,
    request,
    format: SAMPLE_FORMATS[request.format],
    socket,
    session: null,
    half: new Uint8Array(0),
    framesIn: 0,
    samplesIn: 0,
    samplesOut: 0,
    framesOut: 0,
    lostSamples: 0,
    untoldSamples: 0,
    arrivedAtMs: null,
    arrivedMs: 0,
    jitterMs: 0,
    windowStartedAtMs: 0,
    framesInWindow: 0,
    textsInWindow: 0,
  };
}

export const started = ({ line, format, frameMs, listen, talk }: AudioSocketRequest): Record<string, unknown> => ({
  type: "started",
  line,
  format,
  sample_rate: TELEPHONE_RATE_HZ,
  frame_ms: frameMs,
  mode: listen && talk ? "both" : listen ? "listen" : "talk",
});

export function statsOf(client: AudioClient): Record<string, unknown> {
  const stats = client.session?.stats();
  return {
    type: "stats",
    frames_in: client.framesIn,
    samples_in: client.samplesIn,
    frames_out: client.framesOut,
    samples_out: client.samplesOut,
    lost_samples: client.lostSamples,
    dropped_samples: stats?.droppedSamples ?? 0,
    buffered_ms: Math.round(stats?.bufferedMs ?? 0),
    underruns: stats?.underruns ?? 0,
    jitter_ms: Math.round(client.jitterMs * 10) / 10,
  };
}
