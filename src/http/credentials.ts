/** Where a token stands in a request, and what needs none. */

/** Pages without a secret, and the sign of life that monitors ask for. */
const OPEN_PATHS = new Set([
  "/",
  "/health",
  "/docs",
  "/docs/start.js",
  "/docs/swagger-ui-bundle.js",
  "/docs/swagger-ui.css",
  "/openapi.json",
  "/asyncapi.json",
]);
/** A browser's WebSocket and EventSource send no headers: these take ?token=. */
const QUERY_TOKEN_PATH = /^(\/ws|\/events\/stream|(\/lines\/\d+)?\/audio)$/;

export const isOpen = (path: string): boolean => OPEN_PATHS.has(path);

export function presented(request: Request, path: string): string | null {
  const header = request.headers.get("authorization");
  if (header !== null) return /^Bearer +([\x21-\x7e]+) *$/i.exec(header)?.[1] ?? null;
  if (request.method !== "GET" || !QUERY_TOKEN_PATH.test(path)) return null;
  return new URL(request.url).searchParams.get("token");
}
