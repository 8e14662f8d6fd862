/** The application on a port. */
import type { App } from "../http/app";
import type { HttpDependencies } from "../http/endpoint";
import { StartError } from "./start_error";

type Tls = NonNullable<HttpDependencies["tls"]>;

export interface Listener {
  port: number;
  /** New connections see this certificate; those that are open, and what they wait for, stay. */
  renew(tls: Tls, complain: (why: string) => void): void;
  stop(closeActive: boolean): Promise<void>;
}

const CURES: Record<string, string> = {
  EADDRNOTAVAIL: ": this machine has no such address; 0.0.0.0 is all that it has",
  EACCES: ": ports below 1024 want root, choose another",
};

/** Bun's own bound on bodies must lie above ours, which answers with a problem. */
const MAX_REQUEST_BYTES = 4 * 1024 * 1024 * 1024;
const AGAIN_MS = 1000;

/** Elysia's own listen() compiles every route once more, reloads the server and collects garbage. */
export function listen(
  app: App,
  { limits, tls }: Pick<HttpDependencies, "limits" | "tls">,
  hostname: string,
  wantedPort: number,
): Listener {
  let stopped = false;
  const serve = (port: number, shown: Tls | null) =>
    Bun.serve({
      hostname,
      port,
      development: false, // no page with our stack for a defect; it alone would let another instance share the port
      reusePort: false,
      maxRequestBodySize: MAX_REQUEST_BYTES,
      idleTimeout: limits.timeoutS,
      ...(shown ? { tls: { cert: shown.certificatePem, key: shown.keyPem } } : {}),
      fetch: app.fetch,
      error: app.error,
      websocket: {
        ...app.websocket,
        maxPayloadLength: limits.maxMessageBytes,
        idleTimeout: limits.pingTimeoutS,
        sendPings: false, // we ping at the interval of the configuration
      },
    });
  let server: ReturnType<typeof serve>;
  try {
    server = serve(wantedPort, tls);
  } catch (error) {
    throw new StartError(whyNot(error, hostname, wantedPort));
  }
  const port = server.port as number;
  /** With clients that came under the certificate before. */
  const leaving = new Set<typeof server>();
  /** Bun shows no other certificate on a port that it listens on: it is let go and taken in one breath. */
  const again = (shown: Tls, complain: (why: string) => void): void => {
    if (stopped) return;
    try {
      server = serve(port, shown);
    } catch (error) {
      complain(whyNot(error, hostname, port)); // somebody else has it, for a moment at best
      setTimeout(() => again(shown, () => undefined), AGAIN_MS);
    }
  };
  return {
    port,
    renew: (next, complain) => {
      const before = server;
      leaving.add(before);
      void before.stop(false).then(() => leaving.delete(before));
      again(next, complain);
    },
    stop: async (closeActive) => {
      stopped = true;
      await Promise.all([server, ...leaving].map((one) => one.stop(closeActive)));
    },
  };
}

function whyNot(error: unknown, hostname: string, port: number): string {
  const code = (error as { code?: string }).code ?? "";
  return code === "EADDRINUSE"
    ? `port ${port} is in use: stop the other program, or choose another port (server: in the configuration, --rest-port, --websocket-port)`
    : `cannot listen on ${hostname} port ${port} (${code || "unknown error"})${CURES[code] ?? ""}`;
}
