/** Swagger UI and the OpenAPI text, out of the binary: no request of the page leaves the machine. */
import { swagger } from "@elysiajs/swagger";
import type { TSchema } from "@sinclair/typebox";
import { Elysia } from "elysia";
import stylePath from "swagger-ui-dist/swagger-ui.css" with { type: "file" };
// The bundler puts these files into the executable; their paths work there and on disk alike.
import bundlePath from "swagger-ui-dist/swagger-ui-bundle.js" with { type: "file" };
import { FORMATS_TEXT } from "../audio/open";
import { PublishedEvent } from "../events/published";
import type { LineEventBody } from "../line/events";
import { PROMPT_NAME } from "../sounds/prompts";
import { AUDIO_TEXT } from "./docs_audio";
import type { Endpoint } from "./endpoint";
import { Problem } from "./problem";
import { ProblemAnswer, SocketQuery } from "./schema";
import { AudioQuery } from "./schema_audio";

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>DAHDI Phone API</title>
<link rel="icon" href="data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'><text y='14' font-size='14'>☎</text></svg>">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
`;

const START = `SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  tryItOutEnabled: true,
  displayRequestDuration: true,
  validatorUrl: null,
});
`;

const HEADERS = {
  "referrer-policy": "no-referrer",
  "content-security-policy":
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'",
  "x-content-type-options": "nosniff",
};

const served = (body: string | Blob, mediaType: string): Response =>
  new Response(body, { headers: { ...HEADERS, "content-type": mediaType } });

const AT_MS = Date.UTC(2026, 0, 29, 12, 0, 0, 250);
const EVENT_EXAMPLES: readonly (readonly [LineEventBody, string])[] = [
  [{ type: "off_hook", answered: false }, "Lifted. answered: it ended our ringing."],
  [{ type: "on_hook" }, "Hung up; dated when the loop opened."],
  [
    { type: "dtmf", digit: "5", duration: 100, signal_level: -10.2, source: "dtmf" },
    "A key, when it is released. signal_level in dBm0.",
  ],
  [
    {
      type: "dtmf_rejected",
      digit: "2",
      reason: "off_frequency",
      detail: {
        level_low_dbm0: -9.8,
        level_high_dbm0: -8.1,
        twist_db: 1.7,
        offset_low_hz: 24.4,
        offset_high_hz: 2.1,
        snr_db: 31.2,
      },
    },
    "Resembled a key and was none: only with dtmf.explain in the configuration, and only for who names the type. A key then has the same `detail`. reason: too_short, too_quiet, off_frequency, unsteady, not_abrupt, twist, not_alone, low_sound or noisy.",
  ],
  [
    {
      type: "dtmf",
      digit: "3",
      duration: 258,
      source: "pulse",
      pulses_per_second: 10.1,
      break_ratio_percent: 61.2,
    },
    "The same of a rotary dial, with how it turned where that was measured: from two pulses on, good to 5 %. " +
      "Most countries' dials were made for 10 a second with a break of 60 to 67 %.",
  ],
  [
    { type: "voice", active: true, startMs: AT_MS, endMs: null, energyLevel: -21.4, segmentLevel: -21.4 },
    "At the start and at the end of every talkspurt; energy_level is below −50 dBm0 at the end.",
  ],
  [
    { type: "call_progress", tone: "fax_cng", active: true, startMs: AT_MS - 1500, endMs: null, level: -18.3 },
    "A far end's tone, when it is sure and when it is over: dial, busy, reorder or ringback as tone_zone has them, fax_ced " +
      "(2100 Hz, a fax machine or modem answers) or fax_cng (1100 Hz, a fax machine calls). start_time is when the tone " +
      "began; end_time and duration (ms) are null until it is over. signal_level in dBm0.",
  ],
  [{ type: "ring_start", pattern: "NORMAL", repeat: 1, duration: null }, "The bell began."],
  [
    { type: "ring_stop", pattern: "NORMAL", repeat: 1, duration: null, reason: "completed" },
    "reason: completed, duration, stopped, answered or error.",
  ],
  [{ type: "flash", duration: 310 }, "Hook flash, ms."],
  [{ type: "voltage_change", voltage: 8.1 }, "A change of 1 V or more."],
  [{ type: "playback_started", playback_id: "01k…", duration_ms: 2000 }, "Its first sample is heard."],
  [{ type: "playback_paused", playback_id: "01k…", position_ms: 740 }, "It stands still."],
  [{ type: "playback_resumed", playback_id: "01k…", position_ms: 740 }, "It goes on."],
  [
    { type: "playback_finished", playback_id: "01k…", reason: "completed", heard_ms: 2000 },
    "reason: completed, stopped, replaced, barged (then `barged_by` is dtmf or voice), hung_up, cancelled or error. " +
      "heard_ms is exact, rounds and what was heard before and after a seek together. Not told of what nobody heard.",
  ],
  [
    { type: "recording_started", recording_id: "01k…" },
    "From here on it is kept: after the beep, if there is one.",
  ],
  [
    { type: "recording_finished", recording_id: "01k…", reason: "hung_up", duration_ms: 5240, bytes: 83_884 },
    "Its file is closed and can be fetched. reason: stopped, max_duration, silence, finish_key, hung_up, disk_full or error. " +
      "Also told, with no bytes and no file, of one that never began or of which nothing was heard.",
  ],
  [
    { type: "stream_started", stream_id: "01k…", dialect: "twilio" },
    "The voice bot is connected: it hears the telephone and is heard.",
  ],
  [
    {
      type: "stream_stopped",
      stream_id: "01k…",
      reason: "connect_failed",
      detail: "cannot be reached (ECONNREFUSED)",
      duration_ms: 0,
    },
    "Once for each POST /stream and each lift of a hotline. reason: completed (a client stopped it), bot_closed, hung_up, " +
      "unanswered (it waited for an answer), connect_failed, bot_unresponsive (it does not read, or answer a ping), " +
      "line_down, or error (it sent what is not of its dialect). detail says more where there is more, for people.",
  ],
  [
    { type: "bridge_joined", bridge_id: "01k…" },
    "From here on it hears the other lines on the bridge, and they hear it.",
  ],
  [
    { type: "bridge_left", bridge_id: "01k…", reason: "hung_up" },
    "reason: hung_up, line_down, no_answer (it never joined), removed, deleted, or alone: all others have left.",
  ],
  [
    {
      type: "gather_finished",
      gather_id: "01k…",
      digits: "1234",
      reason: "finish_key",
      finish_key: "#",
      heard_ms: 1300,
      played: "part",
      duration_ms: 4200,
    },
    "Of POST /gather, whether it was waited for or not. reason: complete, finish_key, no_match, timeout, hung_up, stopped, " +
      "cancelled (the ring that it waited for was not answered) or error. heard_ms and played (whole, part, none) of the prompt.",
  ],
  [
    {
      type: "announce_finished",
      announce_id: "01k…",
      outcome: "completed",
      answered_after_ms: 6100,
      heard_ms: 4200,
      played: "whole",
      digits: "1",
      gather_reason: "complete",
      finish_key: null,
    },
    "Of POST /announce. outcome: completed, not_answered, hung_up, busy, stopped or error; the last three fields only " +
      "where digits were asked for.",
  ],
  [
    { type: "off_hook_timeout", idle_ms: 30_000 },
    "Left off-hook with nothing happening (off_hook_timeout.seconds); the reorder tone and the howler follow.",
  ],
  [{ type: "hardware_status", status: "ready", details: {} }, "status: ready, alarm, ok or events_lost."],
  [
    {
      type: "error",
      error: { code: "card_removed", message: "The card of channel 1 was taken away.", fix: "Put it back." },
    },
    "The line is out of service; hardware_status ready tells the end of it.",
  ],
];

/** Also docs/events.md: a test compares. */
export function eventsText(): string {
  const rows = EVENT_EXAMPLES.map(([body, meaning], i) => {
    const event = new PublishedEvent(1_769_688_000_000_001 + i, 1, AT_MS, 0, body);
    return `**${body.type}** ${meaning}\n\`\`\`json\n${event.text({ time: "z", stamp: false })}\n\`\`\`\n`;
  });
  return [
    "Connect to `ws://127.0.0.1:8001/ws` (or `/ws` on this port). Every text frame is one JSON object. A plain connection",
    "sends nothing of its own. Frames from a client are ignored. Besides events there are `caught_up` and",
    "`resync_required` after `?since=`, `snapshot` with `?snapshot=1`, and `gap` (`from`, `to`, ids, both included) where",
    "events are lost: after a crash of the server or the power, when up to 0.1 s or 1 s of them may be; or to a client",
    "that read so slowly that the log no longer reaches back. `since` reaches back over restarts, and `since=0` is the",
    "beginning of the log. `GET /events/stream` has the same frames as Server-Sent Events, `GET /events` has pages, and",
    "webhooks are sent them.\n",
    ...rows,
  ].join("\n");
}

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
  401: ["authentication_required", "Send a token: Authorization: Bearer …, or ?token= where a browser cannot."],
  403: ["insufficient_scope", "This needs a token of scope control; this one has read."],
  404: ["unknown_line", "There is no such line: GET /lines lists them."],
  409: ["line_on_hook", "The telephone is on-hook: lift it first."],
  413: ["body_too_large", "The body is larger than 67108864 bytes (api.max_body_bytes): send less, or in pieces."],
  415: ["unsupported_media_type", "Send application/json, not text/xml."],
  422: ["invalid_input", "repeat must be a whole number from 0 to 1000."],
  426: ["websocket_only", "Connect with a WebSocket client; events can be polled (GET /events)."],
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

function problemAnswer(status: number) {
  const [code, detail] = PROBLEM_EXAMPLES[status] ?? ["problem", ""];
  const errors = status === 422 ? [{ field: "repeat", message: "must be a whole number from 0 to 1000" }] : [];
  const example = new Problem(status, code, detail, { errors }).body();
  return {
    description: PROBLEM_MEANINGS[status] ?? "Problem",
    content: { "application/problem+json": { schema: ProblemAnswer, example } },
  };
}

const queryParameters = (schema: TSchema) =>
  Object.entries((schema.properties ?? {}) as Record<string, TSchema>).map(([name, property]) => ({
    name,
    in: "query",
    required: (schema.required as string[] | undefined)?.includes(name) ?? false,
    schema: property,
    ...(property.description ? { description: property.description } : {}),
  }));

const LINE_PARAMETER = {
  name: "line",
  in: "path",
  required: true,
  schema: { type: "integer" as const },
  example: 1,
  description: "A line of GET /lines",
};

const PATH_PARAMETERS: Record<string, Record<string, unknown>> = {
  line: LINE_PARAMETER,
  name: {
    name: "name",
    in: "path",
    required: true,
    schema: { type: "string" },
    example: "kitchen-tablet",
    description: "Of GET /tokens",
  },
  playback_id: {
    name: "playback_id",
    in: "path",
    required: true,
    schema: { type: "string" },
    example: "019c08f1-2a40-7c3e-9b1d-5f2e8a7c4d10",
    description: "Of POST /play-audio or GET /playbacks",
  },
  recording_id: {
    name: "recording_id",
    in: "path",
    required: true,
    schema: { type: "string" },
    example: "019c08f1-2a40-7c3e-9b1d-5f2e8a7c4d10",
    description: "Of POST /record or GET /recordings",
  },
  prompt: {
    name: "prompt",
    in: "path",
    required: true,
    schema: { type: "string", pattern: PROMPT_NAME.source },
    example: "welcome",
    description: "1 to 64 of a-z 0-9 _ -",
  },
  bridge_id: {
    name: "bridge_id",
    in: "path",
    required: true,
    schema: { type: "string" },
    example: "019c08f1-2a40-7c3e-9b1d-5f2e8a7c4d10",
    description: "Of POST /bridges or GET /bridges",
  },
};

const IDEMPOTENCY_KEY = {
  name: "Idempotency-Key",
  in: "header",
  required: false,
  schema: { type: "string", maxLength: 255 },
  description:
    "Sent again with the same key and body, within 24 h, the request is not done again: the first answer comes once " +
    "more, with Idempotency-Replayed. For bodies up to 4 MiB, which are then read before anything is done.",
};

const pathParameters = (path: string) =>
  [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => PATH_PARAMETERS[name as string]);

/** A second of 440 Hz, as Swagger UI cannot invent a file: what "sound" means. */
const SOUND_BODY = {
  required: true,
  description: `${FORMATS_TEXT}: the first bytes say which, the media type does not matter`,
  content: Object.fromEntries(
    ["application/octet-stream", "audio/wav", "audio/mpeg", "audio/ogg", "audio/flac", "audio/basic"].map(
      (type) => [type, { schema: { type: "string", format: "binary" } }],
    ),
  ),
};

function soundBody({ named, example }: Endpoint) {
  if (!named) return SOUND_BODY;
  const content = { ...SOUND_BODY.content, "application/json": { schema: named, example } };
  return { ...SOUND_BODY, description: `${SOUND_BODY.description}. Or JSON that names a sound`, content };
}

/** Elysia's `detail` of an operation, from our one definition of it. */
export function operationDetail(endpoint: Endpoint, path: string): Record<string, unknown> {
  const ofLine = path.includes("{line}");
  const { answer, body, example } = endpoint;
  const good =
    "mediaType" in answer
      ? { [answer.mediaType as string]: { schema: { type: "string", format: "binary" } } }
      : { "application/json": { schema: answer } };
  const open = endpoint.access === "open";
  const problems = [
    ...new Set([...endpoint.problems, ...(ofLine ? [404] : []), ...(open ? [] : [401]), 403, 429, 500]),
  ].sort();
  return {
    tags: [ofLine && endpoint.scope === "line" ? "Lines" : endpoint.tag],
    summary: ofLine && endpoint.scope === "line" ? `${endpoint.summary} (of one line)` : endpoint.summary,
    ...(endpoint.description ? { description: endpoint.description } : {}),
    operationId: `${endpoint.method.toLowerCase()}${path.replaceAll(/[^a-z]+(\w?)/gi, (_, next: string) => next.toUpperCase())}`,
    parameters: [
      ...pathParameters(path),
      ...(endpoint.query ? queryParameters(endpoint.query) : []),
      ...(endpoint.method === "POST" ? [IDEMPOTENCY_KEY] : []),
    ],
    ...(body === "sound"
      ? { requestBody: soundBody(endpoint) }
      : body
        ? { requestBody: { content: { "application/json": { schema: body, example } } } }
        : {}),
    ...(open ? { security: [] } : {}),
    responses: {
      ...(endpoint.success === 204
        ? { 204: { description: "Done" } }
        : { 200: { description: "Done", content: good } }),
      ...Object.fromEntries(problems.map((status) => [status, problemAnswer(status)])),
      ...Object.fromEntries(
        Object.entries(endpoint.otherAnswers ?? {}).map(([status, { description, schema }]) => [
          status,
          { description, content: { "application/json": { schema } } },
        ]),
      ),
    },
  };
}

const SOCKET_OPERATION = {
  tags: ["Events"],
  summary: "Events by WebSocket",
  description: eventsText(),
  parameters: queryParameters(SocketQuery),
  responses: {
    101: { description: "Upgraded: events follow" },
    ...Object.fromEntries([401, 403, 404, 422, 426, 429].map((status) => [status, problemAnswer(status)])),
  },
};

const TOKEN_SCHEME = {
  type: "http",
  scheme: "bearer",
  description:
    "Needed once there is any token (GET /tokens, security.api_tokens). Scopes: read for GET and events, control for " +
    "what acts on a telephone, admin for tokens and configuration.",
} as const;

const audioOperation = (ofLine: boolean) => ({
  tags: [ofLine ? "Lines" : "Sound"],
  summary: `Live audio by WebSocket${ofLine ? " (of one line)" : ""}`,
  description: AUDIO_TEXT,
  parameters: [...(ofLine ? [LINE_PARAMETER] : []), ...queryParameters(AudioQuery)],
  responses: {
    101: { description: "Upgraded: sound follows" },
    ...Object.fromEntries(
      [401, 403, 404, 409, 422, 426, 429, 503].map((status) => [status, problemAnswer(status)]),
    ),
  },
});

const TAGS = [
  { name: "Telephone", description: "The default line: its state and its bell" },
  { name: "Sound", description: "What its ear hears" },
  { name: "Prompts", description: "Sounds kept under a name, to be played by it" },
  { name: "Recordings", description: "What it says, kept" },
  { name: "Voice bots", description: "Whom it speaks with: by Twilio Media Streams or AudioSocket" },
  { name: "Bridges", description: "Lines that hear each other" },
  { name: "Events", description: "What it does: WebSocket, or polling" },
  { name: "Lines", description: "The same for each line of a card" },
  { name: "Simulator", description: "A hand on a simulated telephone" },
  { name: "Tokens", description: "Who may what: press **Authorize** to use one here" },
  { name: "Server", description: "The program itself" },
];

export function documentation(version: string) {
  const pages: Record<string, () => Response> = {
    "/docs": () => served(PAGE, "text/html; charset=utf-8"),
    "/docs/start.js": () => served(START, "text/javascript; charset=utf-8"),
    "/docs/swagger-ui-bundle.js": () => served(Bun.file(bundlePath), "text/javascript; charset=utf-8"),
    "/docs/swagger-ui.css": () => served(Bun.file(stylePath), "text/css; charset=utf-8"),
  };
  const hidden = { detail: { hide: true } };
  return (
    new Elysia({ name: "documentation" })
      .get("/", () => new Response(null, { status: 302, headers: { location: "/docs" } }), hidden)
      .get("/docs/start.js", () => pages["/docs/start.js"]?.(), hidden)
      .get("/docs/swagger-ui-bundle.js", () => pages["/docs/swagger-ui-bundle.js"]?.(), hidden)
      .get("/docs/swagger-ui.css", () => pages["/docs/swagger-ui.css"]?.(), hidden)
      // The plugin's own page loads its scripts from a public network; ours answers before it.
      .onBeforeHandle(({ path }) => pages[path]?.())
      .use(
        swagger({
          path: "/docs",
          specPath: "/openapi.json",
          provider: "swagger-ui",
          documentation: {
            info: {
              title: "DAHDI Phone API",
              version,
              description:
                "An analog telephone on a DAHDI FXS card. Press **Try it out**, then **Execute**. Errors are RFC 9457 " +
                "problem+json: `code` is stable, `detail` says what to do. Where tokens are needed, press **Authorize** first.",
            },
            tags: TAGS,
            // Nothing at all, too: without any token on a server nobody needs one.
            security: [{ token: [] }, {}],
            components: { securitySchemes: { token: TOKEN_SCHEME } },
            // The plugin leaves WebSocket routes out: these are written in.
            paths: {
              "/ws": { get: SOCKET_OPERATION },
              "/audio": { get: audioOperation(false) },
              "/lines/{line}/audio": { get: audioOperation(true) },
            },
          },
          exclude: ["/docs", "/openapi.json"],
        }),
      )
  );
}
