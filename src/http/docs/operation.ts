/** One operation as the OpenAPI text has it, from our one definition of it. */
import type { TSchema } from "@sinclair/typebox";
import { FORMATS_TEXT } from "../../audio/open";
import { PROMPT_NAME } from "../../sounds/prompts";
import { withMenus } from "../choices";
import { type Endpoint, isOfLine, neededScope } from "../endpoint";
import { problemAnswer } from "./problem_examples";

export const queryParameters = (schema: TSchema) =>
  Object.entries((schema.properties ?? {}) as Record<string, TSchema>).map(([name, property]) => ({
    name,
    in: "query",
    required: (schema.required as string[] | undefined)?.includes(name) ?? false,
    schema: withMenus(property),
    ...(property.description ? { description: property.description } : {}),
  }));

export const LINE_PARAMETER = {
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
    "more, with Idempotency-Replayed. A restart of the server forgets the keys, as it ends what was ringing, playing " +
    "or collected. For bodies up to 4 MiB, which are then read before anything is done.",
};

/** A key that is none, one whose request is still under way, one that comes with another body. */
const OF_IDEMPOTENCY = [400, 409, 422];

const pathParameters = (path: string) =>
  [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => PATH_PARAMETERS[name as string]);

const BINARY = { type: "string", format: "binary" };
const SOUND_BODY = {
  required: true,
  description: `${FORMATS_TEXT}: the first bytes say which, the media type does not matter`,
  content: Object.fromEntries(
    ["application/octet-stream", "audio/wav", "audio/mpeg", "audio/ogg", "audio/flac", "audio/basic"].map(
      (type) => [type, { schema: BINARY }],
    ),
  ),
};

/** The first file is the sound, whatever it is called. */
const formBody = ({ form }: Endpoint) => ({
  schema: {
    type: "object",
    required: [form?.file ?? "file"],
    properties: { ...(form ? { options: form.options } : {}), [form?.file ?? "file"]: BINARY },
  },
  ...(form ? { encoding: { options: { contentType: "application/json" } } } : {}),
});

function soundBody(endpoint: Endpoint) {
  const { named, example } = endpoint;
  const content = { ...SOUND_BODY.content, "multipart/form-data": formBody(endpoint) };
  if (!named) return { ...SOUND_BODY, content };
  // First, and so what is pressed: Swagger UI has no file to send.
  return {
    ...SOUND_BODY,
    description: `${SOUND_BODY.description}. Or JSON that names a sound`,
    content: { "application/json": { schema: named, example }, ...content },
  };
}

/** What a token of certain lines may ask: about its line, about its lines' part, or nothing. */
function tokenLines(endpoint: Endpoint): "one" | "own" | "all" | "none" {
  if (endpoint.access === "open") return "all";
  if (isOfLine(endpoint)) return "one";
  return endpoint.ownLines ? "own" : "none";
}

/** Elysia's `detail` of an operation, from our one definition of it. */
export function operationDetail(endpoint: Endpoint, path: string): Record<string, unknown> {
  const ofLine = path.includes("{line}");
  const { answer, body, example } = endpoint;
  const good =
    "mediaType" in answer
      ? { [answer.mediaType as string]: { schema: { type: "string", format: "binary" } } }
      : { "application/json": { schema: answer } };
  const needed = neededScope(endpoint);
  const open = needed === "open";
  const problems = [
    ...new Set([
      ...endpoint.problems,
      ...(ofLine ? [404] : []),
      ...(open ? [] : [401]),
      ...(endpoint.method === "POST" ? OF_IDEMPOTENCY : []),
      // The body, also one that is not wanted.
      ...(endpoint.method === "GET" || endpoint.method === "DELETE" ? [] : [413]),
      403,
      429,
      500,
    ]),
  ].sort();
  return withMenus({
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
    // A role, as OpenAPI 3.1 has it. Nothing at all, too: without any token on a server nobody needs one.
    security: open ? [] : [{ token: [needed] }, {}],
    "x-scope": needed,
    "x-lines": tokenLines(endpoint),
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
  });
}
