/** The application on a port. */
import { createApp, type Sockets } from "../http/app";
import type { HttpDependencies } from "../http/endpoint";
import { StartError } from "./start_error";

export interface Listener {
  port: number;
  stop(closeActive: boolean): Promise<void>;
}

export function listen(
  dependencies: HttpDependencies,
  sockets: Sockets,
  hostname: string,
  port: number,
): Listener {
  const app = createApp(dependencies, sockets);
  try {
    // Elysia's wish is true: a second server would take every other request of the first, and nobody be told.
    app.listen({ hostname, port, reusePort: false });
  } catch (error) {
    const code = (error as { code?: string }).code ?? "";
    const why =
      code === "EADDRINUSE"
        ? `port ${port} is in use: stop the other program, or choose another port (--rest-port, --websocket-port)`
        : `cannot listen on ${hostname} port ${port} (${code || "unknown error"})`;
    throw new StartError(why);
  }
  const { server } = app;
  if (!server?.port) throw new StartError(`cannot listen on ${hostname} port ${port}`);
  return { port: server.port, stop: (closeActive) => server.stop(closeActive) };
}
