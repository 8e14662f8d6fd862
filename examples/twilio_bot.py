#!/usr/bin/env python3
"""A voice bot for Twilio Media Streams: a beep, then what you say comes back a second later. A key cuts that short with
another beep; the star key hangs up. sudo apt install python3-websockets

    twilio_bot.py [port]      then POST /stream {"url": "ws://127.0.0.1:8765/"}
"""

import asyncio
import base64
import json
import math
import sys

import websockets

PORT = int(sys.argv[1]) if len(sys.argv) > 1 else 8765
DELAY_CHUNKS = 50  # of 20 ms


def mulaw(sample):  # ITU-T G.711
    magnitude = min(abs(sample), 32635) + 132
    segment = magnitude.bit_length() - 8
    return ~((sample < 0) << 7 | segment << 4 | magnitude >> (segment + 3) & 15) & 255


def beep(hz):  # half a second
    return bytes(mulaw(int(9000 * math.sin(2 * math.pi * hz * i / 8000))) for i in range(4000))


async def talk(call):
    stream, kept = "", []

    async def say(event, **content):
        await call.send(json.dumps({"event": event, "streamSid": stream, **content}))

    async def say_beep(hz, mark):
        await say("media", media={"payload": base64.b64encode(beep(hz)).decode()})
        await say("mark", mark={"name": mark})  # comes back when the beep has been heard

    async for text in call:
        told = json.loads(text)
        if told["event"] == "media":
            kept.append(told["media"]["payload"])
            if len(kept) > DELAY_CHUNKS:
                await say("media", media={"payload": kept.pop(0)})
            continue
        print(text, flush=True)
        if told["event"] == "start":
            stream = told["streamSid"]
            await say_beep(440, "greeted")
        elif told["event"] == "dtmf":
            if told["dtmf"]["digit"] == "*":
                return  # closing hangs up
            kept.clear()
            await say("clear")
            await say_beep(880, "key " + told["dtmf"]["digit"])


async def main():
    async with websockets.serve(talk, "127.0.0.1", PORT) as server:
        print(f"listening on port {server.sockets[0].getsockname()[1]}", flush=True)
        await asyncio.Future()


asyncio.run(main())
