/**
 * Clients of live audio that say what they hear, in a process of their own.
 *   bun bench/echo_bot.ts URL… — prints "ready"; "stats" on standard input prints a JSON line; its end closes.
 */
const sockets = process.argv.slice(2).map((url) => new WebSocket(url));
const answers: ((stats: unknown) => void)[] = [];

const started = sockets.map((socket) => {
  const { promise, resolve } = Promise.withResolvers<void>();
  socket.binaryType = "arraybuffer";
  socket.onmessage = ({ data }) => {
    if (typeof data !== "string") {
      socket.send(data as ArrayBuffer);
      return;
    }
    const told = JSON.parse(data);
    if (told.type === "started") resolve();
    else if (told.type === "stats") answers.shift()?.(told);
  };
  return promise;
});
await Promise.all(started);
console.log("ready");

for await (const line of console) {
  if (line !== "stats") continue;
  const all = sockets.map((socket) => {
    const answer = new Promise((resolve) => answers.push(resolve));
    socket.send(JSON.stringify({ type: "stats" }));
    return answer;
  });
  console.log(JSON.stringify(await Promise.all(all)));
}
for (const socket of sockets) socket.close();

export {};
