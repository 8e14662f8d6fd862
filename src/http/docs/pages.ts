/** Swagger UI, the OpenAPI and the AsyncAPI text, out of the binary: no request of the page leaves the machine. */
import { Elysia } from "elysia";
import stylePath from "swagger-ui-dist/swagger-ui.css" with { type: "file" };
// The bundler puts these files into the executable; their paths work there and on disk alike.
import bundlePath from "swagger-ui-dist/swagger-ui-bundle.js" with { type: "file" };
import type { Documents } from "./documents";

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

const json = (text: Uint8Array<ArrayBuffer>): Response =>
  new Response(text, { headers: { "content-type": "application/json;charset=utf-8" } });
const served = (body: string | Blob, mediaType: string): Response =>
  new Response(body, { headers: { ...HEADERS, "content-type": mediaType } });

export function documentation(documents: () => Promise<Documents>) {
  return new Elysia({ name: "documentation" })
    .get("/", () => new Response(null, { status: 302, headers: { location: "/docs" } }))
    .get("/openapi.json", async () => json((await documents()).openApi))
    .get("/asyncapi.json", async () => json((await documents()).asyncApi))
    .get("/docs", () => served(PAGE, "text/html; charset=utf-8"))
    .get("/docs/start.js", () => served(START, "text/javascript; charset=utf-8"))
    .get("/docs/swagger-ui-bundle.js", () => served(Bun.file(bundlePath), "text/javascript; charset=utf-8"))
    .get("/docs/swagger-ui.css", () => served(Bun.file(stylePath), "text/css; charset=utf-8"));
}
