/** Swagger UI, the OpenAPI and the AsyncAPI text, out of the binary: no request of the page leaves the machine. */
import { Elysia } from "elysia";
import stylePath from "swagger-ui-dist/swagger-ui.css" with { type: "file" };
// The bundler puts these files into the executable; their paths work there and on disk alike.
import bundlePath from "swagger-ui-dist/swagger-ui-bundle.js" with { type: "file" };
import type { Route } from "../routes/routes";

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

/** The texts are made when somebody asks: the start, and a server that nobody asks, do without them. */
export function documentation(version: string, routes: readonly Route[]) {
  /** Kept: it takes 10 ms to make, in which no event is sent. */
  let openApiText: Promise<Uint8Array<ArrayBuffer>> | null = null;
  const openApi = async (): Promise<Response> => {
    openApiText ??= import("./openapi").then((text) => text.openApi(version, routes));
    return new Response(await openApiText, { headers: { "content-type": "application/json;charset=utf-8" } });
  };
  return new Elysia({ name: "documentation" })
    .get("/", () => new Response(null, { status: 302, headers: { location: "/docs" } }))
    .get("/openapi.json", openApi)
    .get("/asyncapi.json", async () => (await import("./asyncapi")).asyncApi(version))
    .get("/docs", () => served(PAGE, "text/html; charset=utf-8"))
    .get("/docs/start.js", () => served(START, "text/javascript; charset=utf-8"))
    .get("/docs/swagger-ui-bundle.js", () => served(Bun.file(bundlePath), "text/javascript; charset=utf-8"))
    .get("/docs/swagger-ui.css", () => served(Bun.file(stylePath), "text/css; charset=utf-8"));
}
