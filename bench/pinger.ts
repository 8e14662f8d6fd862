/**
 * How long a server's JavaScript stands still: `pinger.ts WEBSOCKET-URL`. A ping goes out every millisecond, and is answered
 * when the event loop gets to it. Prints "ready"; "anew" forgets what was, "worst" prints the latest pong's lateness in ms.
 */
import { openRaw } from "./soak/raw_socket";

const PING = Uint8Array.from([0x89, 0x80, 0, 0, 0, 0]); /* masked, empty: RFC 6455, 5.5.2 */
const PONG = 0x8a;
const LONG_LENGTH = 126;
const PERIOD_MS = 1;

const { socket } = await openRaw(process.argv[2] ?? "");
const sentAtMs: number[] = [];
let worstMs = 0;
let left = new Uint8Array(0);

socket.on("data", (bytes) => {
  left = Buffer.concat([left, bytes as Uint8Array]);
  const nowMs = performance.now();
  let at = 0;
  while (left.length - at >= 2) {
    const short = (left[at + 1] as number) & 0x7f;
    const extended = short === LONG_LENGTH ? 2 : 0;
    if (left.length - at < 2 + extended) break;
    const length = extended ? ((left[at + 2] as number) << 8) | (left[at + 3] as number) : short;
    if (left.length - at < 2 + extended + length) break;
    if (left[at] === PONG) worstMs = Math.max(worstMs, nowMs - (sentAtMs.shift() ?? nowMs));
    at += 2 + extended + length;
  }
  left = left.subarray(at);
});
socket.on("close", () => process.exit());
socket.setNoDelay(true);
socket.resume();
setInterval(() => {
  sentAtMs.push(performance.now());
  socket.write(PING);
}, PERIOD_MS);

console.log("ready");
for await (const word of console) {
  if (word === "anew") worstMs = 0;
  else console.log(Math.max(worstMs, performance.now() - (sentAtMs[0] ?? performance.now())));
}
process.exit();
