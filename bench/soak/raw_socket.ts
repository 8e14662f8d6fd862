/** A WebSocket client that behaves as badly as a test wants: the handshake, then bytes. */
import { connect, type Socket } from "node:net";

export interface RawSocket {
  socket: Socket;
  /** Ends the connection as a process does that is killed. */
  drop(): void;
  gone: Promise<void>;
}

/** Resolves when the server has upgraded it. From then on nobody reads it unless the caller does. */
export function openRaw(url: string): Promise<RawSocket> {
  const { hostname, port, pathname, search, host } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port) });
    const gone = new Promise<void>((settle) => socket.once("close", () => settle()));
    socket.on("error", reject);
    socket.once("connect", () => {
      socket.write(
        `GET ${pathname}${search} HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
          "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
      );
    });
    socket.once("data", (first) => {
      if (!String(first).startsWith("HTTP/1.1 101")) {
        socket.destroy();
        reject(new Error(`not upgraded: ${String(first).split("\r\n")[0]}`));
        return;
      }
      socket.pause();
      resolve({ socket, drop: () => socket.resetAndDestroy(), gone });
    });
  });
}
