/** The application on a port. */
import type { App } from "../http/app";
import type { HttpDependencies } from "../http/endpoint";
import { StartError } from "./start_error";

export interface Listener {
  port: number;
  stop(closeActive: boolean): Promise<void>;
}

const CURES: Record<string, string> = {
  EADDRNOTAVAIL: ": this machine has no such address; 0.0.0.0 is all that it has",
  EACCES: ": ports below 1024 want root, choose another",
};

/** Bun's own bound on bodies must lie above ours, which answers with a problem. */
const MAX_REQUEST_BYTES = 4 * 1024 * 1024 * 1024;

/** Elysia's own listen() compiles every route once more, reloads the server and collects garbage. */
export function listen(
  app: App,
  { limits, tls }: Pick<HttpDependencies, "limits" | "tls">,
  hostname: string,
  port: number,
): Listener {
  try {
    const server = Bun.serve({
      hostname,
      port,
      development: false, // no page with our stack for a defect; it alone would let another instance share the port
      reusePort: false,
      maxRequestBodySize: MAX_REQUEST_BYTES,
      idleTimeout: limits.timeoutS,
      ...(tls ? { tls: { cert: tls.certificatePem, key: tls.keyPem } } : {}),
      fetch: app.fetch,
      error: app.error,
      websocket: {
        ...app.websocket,
        maxPayloadLength: limits.maxMessageBytes,
        idleTimeout: limits.pingTimeoutS,
        sendPings: false, // we ping at the interval of the configuration
      },
    });
    return { port: server.port as number, stop: (closeActive) => server.stop(closeActive) };
  } catch (error) {
    const code = (error as { code?: string }).code ?? "";
    const why =
      code === "EADDRINUSE"
        ? `port ${port} is in use: stop the other program, or choose another port (--rest-port, --websocket-port)`
        : `cannot listen on ${hostname} port ${port} (${code || "unknown error"})${CURES[code] ?? ""}`;
    throw new StartError(why);
  }
}
