/**
 * Runs inside a guest, where its clock is the telephone's: a client of live audio that waits for the lift and lives as
 * long as the call. Without a file of samples to say it says back what it hears.
 *   bun live_client.ts URL HEARD_FILE [SAID_FILE] — prints a JSON line for each text frame that it is sent
 */
import { readFileSync, writeFileSync } from "node:fs";

const [url = "", heardPath = "", saidPath] = process.argv.slice(2);
const FRAME_BYTES = 320;
const heard: Uint8Array[] = [];
const said = saidPath === undefined ? null : readFileSync(saidPath);

const socket = new WebSocket(url);
socket.binaryType = "arraybuffer";
socket.onopen = () => socket.send('{"type":"stats"}'); // its answer says that we are served
socket.onmessage = ({ data }) => {
  if (typeof data !== "string") {
    const frame = new Uint8Array(data as ArrayBuffer);
    heard.push(frame);
    if (!said) socket.send(frame);
    return;
  }
  console.log(data);
  if (said && (JSON.parse(data) as { type: string }).type === "started") {
    for (let at = 0; at < said.length; at += FRAME_BYTES) socket.send(said.subarray(at, at + FRAME_BYTES));
    socket.send('{"type":"mark","name":"all"}');
  }
};
socket.onclose = ({ code }) => {
  writeFileSync(heardPath, Buffer.concat(heard));
  console.log(JSON.stringify({ type: "closed", code }));
};
