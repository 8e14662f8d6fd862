/** RFC 9457 problem+json: every answer that is not what was asked for. */
import { AudioError } from "../audio/error";
import { Refusal, type RefusalCode } from "../exchange/verbs";
import { RecordingStoreError } from "../recordings/recording";
import { SoundError, type SoundErrorCode } from "../sounds/sound_error";

export interface FieldProblem {
  field: string;
  message: string;
}

export interface ProblemOptions {
  errors?: readonly FieldProblem[];
  headers?: Record<string, string>;
}

const TITLES: Record<number, string> = {
  400: "Bad request",
  401: "Authentication required",
  403: "Not allowed",
  404: "Not found",
  405: "Method not allowed",
  409: "Not in this state",
  413: "Too large",
  415: "Unsupported media type",
  416: "Range not satisfiable",
  422: "Invalid input",
  426: "Upgrade required",
  429: "Too many requests",
  500: "Internal error",
  501: "Not installed",
  503: "Not ready",
  504: "Too late",
  507: "Insufficient storage",
};

/** Thrown anywhere below a route. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    /** One sentence that says what to do. */
    readonly detail: string,
    readonly options: ProblemOptions = {},
  ) {
    super(detail);
    this.name = "Problem";
  }

  body() {
    const { errors } = this.options;
    return {
      type: `urn:dahdi-phone-api:problem:${this.code}`,
      title: TITLES[this.status] ?? "Problem",
      status: this.status,
      detail: this.detail,
      code: this.code,
      ...(errors && errors.length > 0 ? { errors } : {}),
    };
  }

  response(): Response {
    return new Response(JSON.stringify(this.body()), {
      status: this.status,
      headers: { "content-type": "application/problem+json", ...this.options.headers },
    });
  }
}

const REFUSAL_STATUS: Record<RefusalCode, number> = {
  unknown_line: 404,
  unknown_bridge: 404,
  not_simulated: 404,
  unknown_playback: 404,
  line_off_hook: 409,
  line_on_hook: 409,
  ring_stopped: 409,
  playback_finished: 409,
  not_playing: 409,
  not_paused: 409,
  not_seekable: 409,
  recording_active: 409,
  stream_active: 409,
  no_stream: 409,
  talker_active: 409,
  not_recording: 409,
  line_bridged: 409,
  not_on_bridge: 409,
  bridge_full: 409,
  gather_active: 409,
  not_gathering: 409,
  announcement_active: 409,
  not_announcing: 409,
  call_waiting_busy: 409,
  already_in_that_position: 409,
  invalid_input: 422,
  queue_full: 429,
  line_not_ready: 503,
  driver_error: 503,
};

const STORE_STATUS: Record<RecordingStoreError["code"], number> = {
  unknown_recording: 404,
  recording_active: 409,
  encoder_busy: 429,
  recordings_unavailable: 503,
  disk_full: 507,
};

const SOUND_STATUS: Record<SoundErrorCode, number> = {
  unknown_prompt: 404,
  bad_name: 422,
  url_refused: 422,
  url_unreadable: 422,
  unsayable_text: 422,
  unknown_voice: 422,
  cancelled: 422,
  too_many_sounds: 429,
  no_speech_engine: 501,
  speech_failed: 503,
  prompts_unavailable: 503,
  source_timeout: 504,
  disk_full: 507,
};

/** Seconds after which a queue may have room, or a line be back. */
const RETRY_AFTER_S = "1";

/** Of the process, or of the machine. */
const NO_DESCRIPTOR = ["EMFILE", "ENFILE"];

const headersOf = (status: number): Record<string, string> =>
  status === 429 || status === 503 ? { "retry-after": RETRY_AFTER_S } : {};

/** Any error as a problem; null for what is a defect of ours. */
export function toProblem(error: unknown): Problem | null {
  if (error instanceof Problem) return error;
  if (error instanceof Refusal) {
    const status = REFUSAL_STATUS[error.code];
    return new Problem(status, error.code, error.message, { errors: error.fields, headers: headersOf(status) });
  }
  if (error instanceof RecordingStoreError) {
    const status = STORE_STATUS[error.code];
    return new Problem(status, error.code, error.message, { headers: headersOf(status) });
  }
  if (error instanceof SoundError) {
    const status = SOUND_STATUS[error.code];
    return new Problem(status, error.code, error.message, { headers: headersOf(status) });
  }
  if (error instanceof AudioError) {
    return new Problem(error.code === "unsupported_format" ? 415 : 422, error.code, error.message);
  }
  if (NO_DESCRIPTOR.includes((error as NodeJS.ErrnoException | null)?.code ?? "")) {
    const detail =
      "So many files and connections are open that there is no room for one more: try again in a moment.";
    return new Problem(503, "too_many_open_files", detail, { headers: headersOf(503) });
  }
  return null;
}

export const internalProblem = (): Problem =>
  new Problem(500, "internal_error", "Something went wrong on our side; it was logged. Trying again may help.");
