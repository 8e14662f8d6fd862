#!/usr/bin/env python3
"""A voice bot for Twilio Media Streams: a beep, then what you say comes back a second later. A key cuts that short with
another beep; the star key hangs up. sudo apt install python3-websockets

    twilio_bot.py [port]      then POST /stream {"url": "ws://127.0.0.1:8765/"}
"""

import asyncio
import base64
import json
import sys

import websockets

PORT = int(sys.argv[1]) if len(sys.argv) > 1 else 8765
DELAY_CHUNKS = 50  # of 20 ms


def beep(hz):  # half a second: to G.711 μ-law 0xA0 is 7932 and 0x20 the same below zero
    half = 4000 // hz
    return base64.b64encode((b"\xa0" * half + b"\x20" * half) * (hz // 2)).decode()


async def talk(call):
    stream, kept = "", []

    async def say(event, **content):
        await call.send(json.dumps({"event": event, "streamSid": stream, event: content}))

    async for text in call:
        told = json.loads(text)
        if told["event"] == "media":
            kept.append(told["media"]["payload"])
            if len(kept) > DELAY_CHUNKS:
                await say("media", payload=kept.pop(0))
            continue
        print(text, flush=True)
        if told["event"] == "start":
            stream = told["streamSid"]
            await say("media", payload=beep(500))
            await say("mark", name="greeted")  # comes back when the beep has been heard
        elif told["event"] == "dtmf":
            if told["dtmf"]["digit"] == "*":
                return  # closing hangs up
            kept.clear()
            await say("clear")
            await say("media", payload=beep(1000))
            await say("mark", name="key " + told["dtmf"]["digit"])


async def main():
    async with websockets.serve(talk, "127.0.0.1", PORT) as server:
        print(f"listening on port {server.sockets[0].getsockname()[1]}", flush=True)
        await asyncio.Future()


try:
    asyncio.run(main())
except KeyboardInterrupt:
    pass
