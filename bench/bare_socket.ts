/**
 * A peer for `make bench` and `make soak`: nothing but a WebSocket that sends all its clients a frame like an event's,
 * with its clock in it, every 50 ms. Prints its address, begins with a line on its standard input, and ends with it.
 */
import { DriverEngine } from "../src/driver/engine";
import { loadShim } from "../src/driver/library";

const INTERVAL_MS = 50; /* as often as keys are pressed in the measurement beside it */

const clock = new DriverEngine(await loadShim(), "realtime"); // never started: only its clock is read
const clients = new Set<{ send(text: string): unknown }>();
let id = 0;
const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  fetch: (request, self) => (self.upgrade(request) ? undefined : new Response("WebSocket only", { status: 426 })),
  websocket: {
    open: (socket) => void clients.add(socket),
    close: (socket) => void clients.delete(socket),
    message: () => undefined,
  },
});
const tell = (): void => {
  const event = { type: "dtmf", timestamp: new Date().toISOString(), line: 1, id: String(++id) };
  const heard = { digit: "5", duration: 50, signal_level: -10.1, source: "dtmf", stamp_ns: clock.nowNs() };
  const text = JSON.stringify({ ...event, ...heard });
  for (const client of clients) client.send(text);
};
process.stdout.write(`ws://127.0.0.1:${server.port}/\n`);
for await (const _ of console) setInterval(tell, INTERVAL_MS);
process.exit();
