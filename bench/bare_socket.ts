/**
 * A peer for `make bench` and `make soak`: nothing but a WebSocket that sends all its clients frames like an event's, with
 * its clock in them, 20 a second: `bare_socket.ts [AT-ONCE]` of them in one write. Prints its address, begins with a line
 * on its standard input, and ends with it.
 */
import { DriverEngine } from "../src/driver/engine";
import { loadShim } from "../src/driver/library";

const INTERVAL_MS = 50; /* as often as keys are pressed in the measurement beside it */
const atOnce = Number(process.argv[2] ?? 1);

const clock = new DriverEngine(await loadShim(), "realtime"); // never started: only its clock is read
const clients = new Set<{ send(text: string): unknown; cork(send: () => void): unknown }>();
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
const frame = (): string => {
  const event = { type: "dtmf", timestamp: new Date().toISOString(), line: 1, id: String(++id) };
  const heard = { digit: "5", duration: 50, signal_level: -10.1, source: "dtmf", stamp_ns: clock.nowNs() };
  return JSON.stringify({ ...event, ...heard });
};
const tell = (): void => {
  const frames = Array.from({ length: atOnce }, frame);
  for (const client of clients) {
    client.cork(() => {
      for (const text of frames) client.send(text);
    });
  }
};
process.stdout.write(`ws://127.0.0.1:${server.port}/\n`);
for await (const _ of console) setInterval(tell, atOnce * INTERVAL_MS);
process.exit();
