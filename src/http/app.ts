/** The REST and WebSocket application. It does not listen: main does, once for each port. */
import { Elysia } from "elysia";
import { operationDetail } from "./docs/operation";
import { documentation } from "./docs/pages";
import type { Call, Endpoint, HttpDependencies } from "./endpoint";
import type { Next } from "./guard";
import { noteProblem, tokenOf } from "./passage";
import { internalProblem, Problem, toProblem } from "./problem";
import { BRIDGE_ENDPOINTS } from "./routes/bridges";
import { BUNDLE_ENDPOINTS } from "./routes/bundle";
import { CONFIG_ENDPOINTS } from "./routes/config";
import { EVENT_ENDPOINTS } from "./routes/events";
import { FLIGHT_ENDPOINTS } from "./routes/flight";
import { GATHER_ENDPOINTS } from "./routes/gather";
import { LINE_ENDPOINTS } from "./routes/line";
import { PLAYBACK_ENDPOINTS } from "./routes/playbacks";
import { PROMPT_ENDPOINTS } from "./routes/prompts";
import { RECORDING_ENDPOINTS } from "./routes/recordings";
import { SERVER_ENDPOINTS } from "./routes/server";
import { SIMULATOR_ENDPOINTS } from "./routes/simulator";
import { SOUND_ENDPOINTS } from "./routes/sound";
import { SPEECH_ENDPOINTS } from "./routes/speech";
import { STREAM_ENDPOINTS } from "./routes/streams";
import { TOKEN_ENDPOINTS } from "./routes/tokens";
import { WEBHOOK_ENDPOINTS } from "./routes/webhooks";
import { type Answering, REQUEST_ID_HEADER, requestIdIn, requestIdOf, timed } from "./watched_request";
import type { AudioSocket, AudioSocketRequest } from "./ws/audio_client";
import type { AudioSockets } from "./ws/audio_sockets";
import type { EventSockets, Socket, SocketRequest } from "./ws/event_sockets";

/** Bun's own bound on bodies must lie above ours, which answers with a problem. */
const MAX_REQUEST_BYTES = 4 * 1024 * 1024 * 1024;

/** Of WebSockets. */
const SOCKET_PATHS = [/^\/ws$/, /^(\/lines\/[^/]+)?\/audio\/?$/];

interface Route {
  path: string;
  endpoint: Endpoint;
}

function routesFor(dependencies: HttpDependencies): Route[] {
  const routes: Route[] = [];
  const endpoints = [
    ...LINE_ENDPOINTS,
    ...GATHER_ENDPOINTS,
    ...SOUND_ENDPOINTS,
    ...PLAYBACK_ENDPOINTS,
    ...SPEECH_ENDPOINTS,
    ...PROMPT_ENDPOINTS,
    ...RECORDING_ENDPOINTS,
    ...STREAM_ENDPOINTS,
    ...BRIDGE_ENDPOINTS,
    ...EVENT_ENDPOINTS,
    ...WEBHOOK_ENDPOINTS,
    ...TOKEN_ENDPOINTS,
    ...SERVER_ENDPOINTS,
    ...CONFIG_ENDPOINTS,
    ...BUNDLE_ENDPOINTS,
    ...FLIGHT_ENDPOINTS,
  ];
  for (const endpoint of endpoints) {
    routes.push({ path: endpoint.path, endpoint });
    if (endpoint.scope === "line") routes.push({ path: `/lines/:line${endpoint.path}`, endpoint });
  }
  if (dependencies.exchange.handsets) {
    for (const endpoint of SIMULATOR_ENDPOINTS)
      routes.push({ path: `/simulator/lines/:line${endpoint.path}`, endpoint });
  }
  return routes;
}

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

export function createApp(dependencies: HttpDependencies, sockets: Sockets) {
  const { limits, logs, guard, exchange, tls } = dependencies;
  const routes = routesFor(dependencies);
  const pathsAndMethods = routes.map(({ path, endpoint }) => ({
    pattern: new RegExp(`^${path.replaceAll(/:\w+/g, "[^/]+")}/?$`),
    method: endpoint.method as string,
  }));
  pathsAndMethods.push({ pattern: /^\/(docs|openapi\.json|asyncapi\.json)?$/, method: "GET" });
  for (const pattern of SOCKET_PATHS) pathsAndMethods.push({ pattern, method: "GET" });

  const notFound = (request: Request): Problem => {
    const { pathname } = new URL(request.url);
    if (SOCKET_PATHS.some((path) => path.test(pathname)) && request.method === "GET") {
      return new Problem(
        426,
        "websocket_only",
        "Connect with a WebSocket client; events can be polled (GET /events).",
        {
          headers: { upgrade: "websocket" },
        },
      );
    }
    const allowed = pathsAndMethods.filter(({ pattern }) => pattern.test(pathname)).map(({ method }) => method);
    if (allowed.length === 0 || allowed.includes(request.method)) {
      return new Problem(404, "unknown_path", "There is nothing here: GET /docs shows what there is.");
    }
    const allow = [...new Set(allowed)].join(", ");
    return new Problem(405, "method_not_allowed", `Use ${allow} here.`, { headers: { allow } });
  };

  const app = new Elysia({
    normalize: false,
    // Elysia's short cut takes hosts of fewer than four letters for a path: a machine may well be called "pi". Without
    // it, it takes the second slash of https:// for one.
    handler: { standardHostname: tls !== null },
    serve: {
      // Bun's page for developers shows source and paths: what is thrown past us is a bare 500.
      development: false,
      maxRequestBodySize: MAX_REQUEST_BYTES,
      idleTimeout: limits.timeoutS,
      ...(tls ? { tls: { cert: tls.certificatePem, key: tls.keyPem } } : {}),
    },
    websocket: {
      maxPayloadLength: limits.maxMessageBytes,
      idleTimeout: limits.pingTimeoutS,
      sendPings: false, // we ping at the interval of the configuration
    },
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
    .use(documentation(dependencies.version))
    .wrap((next) => (request: Request) => guard.handle(next as unknown as Next, request, app.server));
  for (const { path, endpoint } of routes) {
    const route = path.replaceAll(/:(\w+)/g, "{$1}");
    const ofLine = path.includes(":line");
    const answer = ({ request, set, query }: Context, params: Call["params"] = {}): unknown => {
      const requestId = requestIdOf(request);
      set.headers[REQUEST_ID_HEADER] = requestId;
      const keepOpen = (): void => app.server?.timeout(request, 0);
      const answered = (status: number, seconds: number): void => {
        dependencies.metrics.requestAnswered(endpoint.method, route, status, seconds);
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
    const options = {
      parse: "none" as const,
      detail: operationDetail(endpoint, route),
    };
    if (endpoint.method === "GET") app.get(path, handle, options);
    else if (endpoint.method === "DELETE") app.delete(path, handle, options);
    else if (endpoint.method === "PUT") app.put(path, handle, options);
    else if (endpoint.method === "PATCH") app.patch(path, handle, options);
    else app.post(path, handle, options);
  }

  app.ws("/ws", {
    beforeHandle: (context) => {
      admitted(context).socketRequest = sockets.events.admit(
        context.query as Query,
        guard.admitSocket(context.request, app.server),
      );
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
        const number = line === undefined ? dependencies.exchange.defaultLine : lineNumber(line, dependencies);
        const query = context.query as Query;
        const needed = query.mode === "listen" ? "read" : "control";
        const asker = guard.admitSocket(context.request, app.server, { needed, line: number });
        admitted(context).audioRequest = sockets.audio.admit(number, query, asker);
      },
      open: (ws) => sockets.audio.open(ws.raw, ws.raw as unknown as AudioSocket, admitted(ws.data).audioRequest),
      message: (ws, message) => sockets.audio.received(ws.raw, message),
      close: (ws) => sockets.audio.closed(ws.raw),
    });
  }
  return app;
}

/** What beforeHandle found out travels to open in the connection's own context. */
const admitted = (context: unknown): { socketRequest: SocketRequest; audioRequest: AudioSocketRequest } =>
  context as { socketRequest: SocketRequest; audioRequest: AudioSocketRequest };
