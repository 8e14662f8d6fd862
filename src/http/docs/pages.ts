/** Swagger UI, the OpenAPI and the AsyncAPI text, out of the binary: no request of the page leaves the machine. */
import { swagger } from "@elysiajs/swagger";
import { Elysia } from "elysia";
import stylePath from "swagger-ui-dist/swagger-ui.css" with { type: "file" };
// The bundler puts these files into the executable; their paths work there and on disk alike.
import bundlePath from "swagger-ui-dist/swagger-ui-bundle.js" with { type: "file" };
import { SocketQuery } from "../schema";
import { AudioQuery } from "../schema_audio";
import { asyncApi } from "./asyncapi";
import { AUDIO_TEXT } from "./audio_text";
import { eventsText } from "./event_examples";
import { LINE_PARAMETER, queryParameters } from "./operation";
import { problemAnswer, problemAnswers } from "./problem_examples";

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

const SOCKET_OPERATION = {
  operationId: "getWs",
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
  operationId: ofLine ? "getLinesLineAudio" : "getAudio",
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
      .get("/asyncapi.json", () => asyncApi(version), hidden)
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
            // What the schemas are: JSON Schema with const, examples and null, none of which 3.0 knows.
            openapi: "3.1.0",
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
      )
  );
}
