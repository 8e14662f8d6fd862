/** The OpenAPI text: every route as operation.ts describes it, and the WebSockets, which are no routes. */
import { swagger } from "@elysiajs/swagger";
import { Elysia } from "elysia";
import type { Route } from "../routes/routes";
import { SocketQuery } from "../schema";
import { AudioQuery } from "../schema_audio";
import { AUDIO_TEXT } from "./audio_text";
import { eventsText } from "./event_examples";
import { LINE_PARAMETER, operationDetail, queryParameters } from "./operation";
import { problemAnswer, problemAnswers } from "./problem_examples";

const SOCKET_OPERATION = {
  operationId: "getWs",
  tags: ["Events"],
  summary: "Events by WebSocket",
  security: [{ token: ["read"] }, {}],
  "x-scope": "read",
  "x-lines": "own",
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
    "what acts on a telephone, admin for tokens and configuration: x-scope of each operation. A token of certain lines may " +
    "ask what x-lines says: one (that line), own (its part of it), none, or all of what is open.",
} as const;

const audioOperation = (ofLine: boolean) => ({
  operationId: ofLine ? "getLinesLineAudio" : "getAudio",
  tags: [ofLine ? "Lines" : "Sound"],
  summary: `Live audio by WebSocket${ofLine ? " (of one line)" : ""}`,
  description: AUDIO_TEXT,
  security: [{ token: ["control"] }, {}],
  "x-scope": "control",
  "x-lines": "one",
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

/** The plugin reads an application's routes: this one has them all, and none is ever asked. */
function described(routes: readonly Route[]): Elysia {
  const app = new Elysia();
  for (const { path, endpoint } of routes) {
    const detail = operationDetail(endpoint, path.replaceAll(/:(\w+)/g, "{$1}"));
    app.route(endpoint.method, path, () => "", { detail, config: {} });
  }
  return app;
}

/** UTF-8 JSON. */
export async function openApi(version: string, routes: readonly Route[]): Promise<Uint8Array<ArrayBuffer>> {
  const app = described(routes).use(
    swagger({
      path: "/docs",
      specPath: "/openapi.json",
      documentation: {
        // What the schemas are: JSON Schema with const, examples and null, none of which 3.0 knows.
        openapi: "3.1.0",
        info: {
          title: "DAHDI Phone API",
          description:
            "An analog telephone on a DAHDI FXS card. Press **Try it out**, then **Execute**. Errors are RFC 9457 " +
            "problem+json: `code` is stable, `detail` says what to do. Where tokens are needed, press **Authorize** first.",
          version,
        },
        tags: TAGS,
        // Nothing at all, too: without any token on a server nobody needs one.
        security: [{ token: [] }, {}],
        components: { securitySchemes: { token: TOKEN_SCHEME }, responses: problemAnswers() },
        // The plugin leaves WebSocket routes out: these are written in.
        paths: {
          "/ws": { get: SOCKET_OPERATION },
          "/audio": { get: audioOperation(false) },
          "/lines/{line}/audio": { get: audioOperation(true) },
        },
      },
      exclude: ["/docs", "/openapi.json"],
    }),
  );
  return new Uint8Array(await (await app.handle(new Request("http://localhost/openapi.json"))).arrayBuffer());
}
