/**
 * Runs inside a guest: a voice bot that speaks Twilio's Media Streams, from their public description. It says its samples
 * once it is told to start, and keeps what it hears until it is told to stop.
 *   bun stream_bot.ts PORT HEARD_FILE SAID_FILE (µ-law, both) — prints a JSON line for each message but media
 */
import { readFileSync, writeFileSync } from "node:fs";

const [port = "", heardPath = "", saidPath = ""] = process.argv.slice(2);
const FRAME_BYTES = 160;
const heard: Uint8Array[] = [];
const said = new Uint8Array(readFileSync(saidPath));

interface Told {
  event: string;
  streamSid: string;
  media: { payload: string };
}

Bun.serve({
  port: Number(port),
  fetch: (request, server) => (server.upgrade(request) ? undefined : new Response(null, { status: 426 })),
  websocket: {
    message(socket, text) {
      const told = JSON.parse(String(text)) as Told;
      if (told.event === "media") {
        heard.push(Uint8Array.fromBase64(told.media.payload));
        return;
      }
      if (told.event === "start") {
        const { streamSid } = told;
        for (let at = 0; at < said.length; at += FRAME_BYTES) {
          const payload = said.subarray(at, at + FRAME_BYTES).toBase64();
          socket.send(JSON.stringify({ event: "media", streamSid, media: { payload } }));
        }
        socket.send(JSON.stringify({ event: "mark", streamSid, mark: { name: "all" } }));
      }
      if (told.event === "stop") writeFileSync(heardPath, Buffer.concat(heard));
      console.log(text);
    },
  },
});
console.log('{"event":"listening"}');
