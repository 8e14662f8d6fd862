#!/usr/bin/env python3
"""A voice bot that speaks Asterisk's AudioSocket: a beep, then what you say comes back a second later; the star key
hangs up. Python alone.

    audiosocket_bot.py [port]      then POST /stream {"url": "tcp://127.0.0.1:9092"}
"""

import array
import math
import socketserver
import struct
import sys
import uuid

HANG_UP, UUID, DTMF, SOUND = 0x00, 0x01, 0x03, 0x10
DELAY_FRAMES = 50  # of 20 ms


def beep(hz, ms):  # S16LE, 8 kHz
    return array.array("h", (int(9000 * math.sin(2 * math.pi * hz * i / 8000)) for i in range(8 * ms))).tobytes()


class Call(socketserver.StreamRequestHandler):
    def say(self, kind, payload=b""):
        self.wfile.write(struct.pack("!BH", kind, len(payload)) + payload)

    def frames(self):
        while len(header := self.rfile.read(3)) == 3:
            kind, length = struct.unpack("!BH", header)
            yield kind, self.rfile.read(length)

    def handle(self):
        kept = []
        for kind, payload in self.frames():
            if kind == UUID:
                print("stream", uuid.UUID(bytes=payload), flush=True)
                self.say(SOUND, beep(440, 500))
            elif kind == SOUND:
                kept.append(payload)
                if len(kept) > DELAY_FRAMES:
                    self.say(SOUND, kept.pop(0))
            elif kind == DTMF:
                print("key", payload.decode(), flush=True)
                if payload == b"*":
                    self.say(HANG_UP)
            elif kind == HANG_UP:
                break
        print("over", flush=True)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


with Server(("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 9092), Call) as server:
    print(f"listening on port {server.server_address[1]}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
