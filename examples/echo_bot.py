#!/usr/bin/env python3
"""Says back what the telephone says, a second later; the star key ends the call. sudo apt install python3-websockets

    echo_bot.py [ws://127.0.0.1:8001] [line]
"""

import asyncio
import json
import sys

import websockets

BASE = sys.argv[1] if len(sys.argv) > 1 else "ws://127.0.0.1:8001"
LINE = sys.argv[2] if len(sys.argv) > 2 else "1"
DELAY_FRAMES = 50  # of 20 ms


async def star_pressed():
    async with websockets.connect(f"{BASE}/ws?line={LINE}&types=dtmf") as events:
        async for event in events:
            if json.loads(event)["digit"] == "*":
                return


async def echo(audio):
    kept = []
    async for frame in audio:
        if isinstance(frame, bytes):  # 20 ms of S16LE, 8 kHz
            kept.append(frame)
            if len(kept) > DELAY_FRAMES:
                await audio.send(kept.pop(0))
            continue
        told = json.loads(frame)
        print(told, flush=True)
        if told["type"] == "stopped":
            return


async def main():
    # Waits until the telephone is lifted; ends when it is hung up.
    url = f"{BASE}/lines/{LINE}/audio?when=off_hook&buffer_ms=200&max_buffer_ms=600"
    async with websockets.connect(url) as audio:
        print("lift the handset", flush=True)
        tasks = [asyncio.create_task(star_pressed()), asyncio.create_task(echo(audio))]
        _, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()


try:
    asyncio.run(main())
except KeyboardInterrupt:
    pass
except OSError as error:
    sys.exit(f"{BASE}: {error}: is the server running? Try: make run")
