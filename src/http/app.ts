/** The REST and WebSocket application. It does not listen: commands/listen.ts does, on two ports. */
import type { Server, WebSocketHandler } from "bun";
import { Elysia } from "elysia";
import { websocket } from "elysia/ws";
import { documentation } from "./docs/pages";
import type { Call, HttpDependencies } from "./endpoint";
import type { Counted, Next } from "./guard";
import { noteProblem, tokenOf } from "./passage";
import { internalProblem, Problem, toProblem } from "./problem";
import { type Route, routesOf } from "./routes/routes";
import { Turns } from "./turns";
import { type Answering, REQUEST_ID_HEADER, requestIdIn, requestIdOf, timed } from "./watched_request";
import type { AudioSocket, AudioSocketRequest } from "./ws/audio_client";
import type { AudioSockets } from "./ws/audio_sockets";
import type { EventSockets, SocketRequest } from "./ws/event_sockets";
import type { Socket } from "./ws/socket_sink";

/** In the metrics, of what was answered before any route: the path is the client's, and there are endless many. */
const NO_ROUTE = "(none)";
const KNOWN_METHODS = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);
const MS_PER_S = 1000;
const SWITCHING_PROTOCOLS = 101;

/** Of WebSockets. */
const SOCKET_PATHS = [/^\/ws$/, /^(\/lines\/[^/]+)?\/audio\/?$/];

function lineNumber(text: string, dependencies: HttpDependencies): number {
  const line = /^\d{1,4}$/.test(text) ? Number(text) : Number.NaN;
  if (dependencies.exchange.lines.includes(line)) return line;
  throw new Problem(404, "unknown_line", "There is no such line: GET /lines lists them.");
}

type Query = Record<string, string | undefined>;

export interface Sockets {
  events: EventSockets;
  audio: AudioSockets;
}

interface Context {
  request: Request;
  set: Answering;
  query: unknown;
}

interface PathAndMethod {
  pattern: RegExp;
  method: string;
}

function pathsAndMethods(routes: readonly Route[]): PathAndMethod[] {
  return [
    ...routes.map(({ path, endpoint }) => ({
      pattern: new RegExp(`^${path.replaceAll(/:\w+/g, "[^/]+")}/?$`),
      method: endpoint.method,
    })),
    { pattern: /^\/(docs|openapi\.json|asyncapi\.json)?$/, method: "GET" },
    ...SOCKET_PATHS.map((pattern) => ({ pattern, method: "GET" })),
  ];
}

/** What Bun.serve takes. */
export interface App {
  fetch(request: Request, server: Server<unknown>): Response | Promise<Response>;
  /** What goes wrong once the application has answered: the body's file, which is opened then. */
  error(error: Error): Response;
  websocket: WebSocketHandler<unknown>;
}

export function createApp(dependencies: HttpDependencies, sockets: Sockets): App {
  const { logs, guard, exchange, metrics, tls } = dependencies;
  const routes = routesOf(exchange.handsets !== null);
  /** Made when the first request goes astray. */
  let known: PathAndMethod[] | null = null;

  const notFound = (request: Request): Problem => {
    const { pathname } = new URL(request.url);
    if (SOCKET_PATHS.some((path) => path.test(pathname)) && request.method === "GET") {
      return new Problem(
        426,
        "websocket_only",
        "Connect with a WebSocket client. A browser or curl -N shows what telephones do at /events/stream.",
        {
          headers: { upgrade: "websocket" },
        },
      );
    }
    known ??= pathsAndMethods(routes);
    const allowed = known.filter(({ pattern }) => pattern.test(pathname)).map(({ method }) => method);
    if (allowed.length === 0 || allowed.includes(request.method)) {
      return new Problem(404, "unknown_path", "There is nothing here: GET /docs shows what there is.");
    }
    const allow = [...new Set(allowed)].join(", ");
    return new Problem(405, "method_not_allowed", `Use ${allow} here.`, { headers: { allow } });
  };

  const countedByGuard: Counted = (method, status, seconds) =>
    metrics.requestAnswered(KNOWN_METHODS.has(method) ? method : "other", NO_ROUTE, status, seconds);

  /** Before a WebSocket opens: Elysia asks twice, so that only what is refused is told here. control: of a line. */
  const admitting = (request: Request, route: string, control: boolean, admit: () => void): void => {
    guard.passage(request, app.server);
    const startedAtMs = performance.now();
    try {
      admit();
    } catch (error) {
      const problem = toProblem(error);
      if (problem) {
        noteProblem(request, problem);
        metrics.requestAnswered("GET", route, problem.status, (performance.now() - startedAtMs) / MS_PER_S);
        if (control) guard.tellSocket(request, app.server, problem.status);
      }
      throw error;
    }
  };

  const app = new Elysia({
    normalize: false,
    // Elysia's short cut takes hosts of fewer than four letters for a path: a machine may well be called "pi". Without
    // it, it takes the second slash of https:// for one.
    handler: { standardHostname: tls !== null },
  })
    .onError(({ error, code, request, set }) => {
      if (code === "NOT_FOUND") return notFound(request).response();
      const problem = toProblem(error);
      if (problem) {
        noteProblem(request, problem);
        logs.rest.debug("refused", {
          method: request.method,
          path: new URL(request.url).pathname,
          code: problem.code,
          ...requestIdIn(set),
        });
        return problem.response();
      }
      logs.rest.error("request failed", {
        method: request.method,
        path: new URL(request.url).pathname,
        ...requestIdIn(set),
        error: error instanceof Error ? (error.stack ?? error.message) : String(error),
      });
      return internalProblem().response();
    })
    .use(documentation(dependencies.documents));
  for (const { path, endpoint } of routes) {
    const route = path.replaceAll(/:(\w+)/g, "{$1}");
    const ofLine = path.includes(":line");
    const answer = ({ request, set, query }: Context, params: Call["params"] = {}): unknown => {
      const requestId = requestIdOf(request);
      set.headers[REQUEST_ID_HEADER] = requestId;
      const keepOpen = (): void => app.server?.timeout(request, 0);
      const answered = (status: number, seconds: number): void => {
        metrics.requestAnswered(endpoint.method, route, status, seconds);
        if (!logs.rest.enabled("debug")) return;
        const { pathname } = new URL(request.url);
        const ms = Math.round(seconds * 1e6) / 1000;
        logs.rest.debug("answered", { method: request.method, path: pathname, status, ms, request_id: requestId });
      };
      return timed(answered, () => {
        const line = ofLine ? lineNumber(params.line ?? "", dependencies) : dependencies.exchange.defaultLine;
        guard.authorize(request, endpoint, line);
        return endpoint.handle({
          request,
          requestId,
          query: query as Query,
          line,
          lines: tokenOf(request)?.lines ?? exchange.lines,
          asker: () => guard.passage(request, app.server),
          params,
          dependencies,
          keepOpen,
        });
      });
    };
    // Elysia reads from a handler's text what it needs, so each names just that.
    const handle = path.includes(":")
      ? ({ request, set, query, params }: Context & { params: unknown }) =>
          answer({ request, set, query }, params as Call["params"])
      : ({ request, set, query }: Context) => answer({ request, set, query });
    const options = { parse: "none" as const };
    if (endpoint.method === "GET") app.get(path, handle, options);
    else if (endpoint.method === "DELETE") app.delete(path, handle, options);
    else if (endpoint.method === "PUT") app.put(path, handle, options);
    else if (endpoint.method === "PATCH") app.patch(path, handle, options);
    else app.post(path, handle, options);
  }

  app.ws("/ws", {
    beforeHandle: (context) => {
      const { request, query } = context;
      admitting(request, "/ws", false, () => {
        const asker = guard.admitSocket(request, app.server);
        admitted(context).socketRequest = sockets.events.admit(query as Query, asker);
      });
    },
    open: (ws) => sockets.events.open(ws.raw, ws.raw as unknown as Socket, admitted(ws.data).socketRequest),
    drain: (ws) => sockets.events.drained(ws.raw),
    message: (ws) => sockets.events.received(ws.raw),
    close: (ws) => sockets.events.closed(ws.raw),
  });
  for (const path of ["/audio", "/lines/:line/audio"]) {
    app.ws(path, {
      beforeHandle: (context) => {
        const { line } = (context.params ?? {}) as { line?: string }; // none on the flat path
        const { request } = context;
        const query = context.query as Query;
        const needed = query.mode === "listen" ? "read" : "control";
        admitting(request, path.replace(":line", "{line}"), needed === "control", () => {
          const number = line === undefined ? exchange.defaultLine : lineNumber(line, dependencies);
          const asker = guard.admitSocket(request, app.server, { needed, line: number });
          admitted(context).audioRequest = sockets.audio.admit(number, query, asker);
        });
      },
      open: (ws) => {
        const { audioRequest } = admitted(ws.data);
        if (audioRequest.talk) guard.tellSocket(ws.data.request, app.server, SWITCHING_PROTOCOLS);
        sockets.audio.open(ws.raw, ws.raw as unknown as AudioSocket, audioRequest);
      },
      message: (ws, message) => sockets.audio.received(ws.raw, message),
      close: (ws) => sockets.audio.closed(ws.raw),
    });
  }
  const next = app.compile().fetch as Next;
  const turns = new Turns(() => performance.now(), setImmediate);
  return {
    fetch: (request, server) => {
      const answer = (): Response | Promise<Response> => {
        // Of two: Elysia upgrades with it, in the same turn.
        app.server = server;
        return guard.handle(next, tls ? withPort(request) : request, server, countedByGuard);
      };
      const turn = turns.mine();
      return turn ? turn.then(answer) : answer();
    },
    error: (error) => {
      if ((error as { code?: string }).code === "ENOENT")
        return new Problem(404, "file_gone", "It was deleted just now.").response();
      logs.rest.error("an answer could not be sent", { error: error.stack ?? error.message });
      return internalProblem().response();
    },
    websocket: websocket as unknown as WebSocketHandler<unknown>, // its types are of another version of Bun's
  };
}

/** Behind "https://" Elysia takes the first three letters for the host's: a machine may well be called "pi". */
function withPort(request: Request): Request {
  const { url } = request;
  if (url.indexOf("/", "https://".length) < "https://pi/".length) {
    const { hostname, pathname, search } = new URL(url);
    Object.defineProperty(request, "url", { value: `https://${hostname}:443${pathname}${search}` });
  }
  return request;
}

/** What beforeHandle found out travels to open in the connection's own context. */
const admitted = (context: unknown): { socketRequest: SocketRequest; audioRequest: AudioSocketRequest } =>
  context as { socketRequest: SocketRequest; audioRequest: AudioSocketRequest };
