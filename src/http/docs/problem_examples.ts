/** What a problem of each status means, and one as it would read. */
import { Problem } from "../problem";
import { ProblemAnswer } from "../schema";

const PROBLEM_MEANINGS: Record<number, string> = {
  400: "The body is not valid JSON",
  401: "Where tokens are needed: none was sent, or one that is not known",
  403: "The token's scope or lines do not allow it, or a web page of another origin asked",
  404: "No such line, recording, playback, prompt or bridge",
  409: "The line's state forbids it",
  413: "The body is too large",
  415: "Not a format that is understood",
  416: "The range lies outside of the file",
  422: "The input is wrong: errors[] names the fields",
  426: "Not a WebSocket request",
  429: "Too often, or too much waits already",
  500: "A defect of ours",
  501: "No program that speaks is installed",
  504: "What the sound comes from was too slow",
  503: "The line or its driver is not ready: detail says how to mend it",
  507: "The disk is as full as it may be",
};

/** One of the problems that an operation answers with this status, as it would read. */
const PROBLEM_EXAMPLES: Record<number, [code: string, detail: string]> = {
  400: ["malformed_json", "The body is not valid JSON: check quotes, commas and braces."],
  401: [
    "authentication_required",
    "Send the header Authorization: Bearer TOKEN (dahdi-phone-api token create makes one). Only WebSockets and /events/stream take ?token=.",
  ],
  403: ["insufficient_scope", "This needs a token of scope control; this one has read."],
  404: ["unknown_line", "There is no such line: GET /lines lists them."],
  409: ["line_on_hook", "The telephone is on-hook: lift it first."],
  413: ["body_too_large", "The body is larger than 67108864 bytes (api.max_body_bytes): send less, or in pieces."],
  415: ["unsupported_media_type", "Send application/json, not text/xml."],
  422: ["invalid_input", "repeat must be a whole number from 0 to 1000."],
  426: [
    "websocket_only",
    "Connect with a WebSocket client. A browser or curl -N shows what telephones do at /events/stream.",
  ],
  429: ["queue_full", "Too much waits to be played on this line: try again when some of it was heard."],
  500: ["internal_error", "Something went wrong on our side; it was logged. Trying again may help."],
  416: ["range_not_satisfiable", "The file has 16044 bytes: ask for some of those."],
  501: ["no_speech_engine", "No program that speaks is installed: sudo apt-get install espeak-ng"],
  504: [
    "source_timeout",
    "Nothing came from this URL for 10 s (sounds.timeout_seconds): try again, or play it from here.",
  ],
  507: ["disk_full", "The disk is as full as it may be (recording.min_free_mb): delete recordings, or make room."],
  503: [
    "line_not_ready",
    "The line is out of service: /dev/dahdi/channel does not exist: the DAHDI driver is not loaded.",
  ],
};

const componentName = (status: number | string): string => `problem_${status}`;

/** By reference: written out a thousand times, it was four fifths of the text, and Swagger UI slow. */
export const problemAnswer = (status: number) => ({ $ref: `#/components/responses/${componentName(status)}` });

/** What the references refer to. */
export const problemAnswers = (): Record<string, { description: string }> =>
  Object.fromEntries(
    Object.keys(PROBLEM_MEANINGS).map((status) => [componentName(status), answerOf(Number(status))]),
  );

function answerOf(status: number) {
  const [code, detail] = PROBLEM_EXAMPLES[status] ?? ["problem", ""];
  const errors = status === 422 ? [{ field: "repeat", message: "must be a whole number from 0 to 1000" }] : [];
  const example = new Problem(status, code, detail, { errors }).body();
  return {
    description: PROBLEM_MEANINGS[status] ?? "Problem",
    content: { "application/problem+json": { schema: ProblemAnswer, example } },
  };
}
