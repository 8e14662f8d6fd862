/** A peer for `make bench`: nothing but a WebSocket that sends its clock every 50 ms. Prints its address. */
import { DriverEngine } from "../src/driver/engine";
import { loadShim } from "../src/driver/library";

const INTERVAL_MS = 50; /* as often as keys are pressed in the measurement beside it */

const clock = new DriverEngine(await loadShim(), "realtime"); // never started: only its clock is read
const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  fetch: (request, self) => (self.upgrade(request) ? undefined : new Response("WebSocket only", { status: 426 })),
  websocket: {
    open: (socket) => {
      setInterval(() => socket.send(JSON.stringify({ type: "dtmf", stamp_ns: clock.nowNs() })), INTERVAL_MS);
    },
    message: () => undefined,
  },
});
process.stdout.write(`ws://127.0.0.1:${server.port}/\n`);
