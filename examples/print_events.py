"""Prints what the telephone does. Needs Debian's python3-websockets."""
import asyncio
import json
import sys

import websockets

URL = sys.argv[1] if len(sys.argv) > 1 else "ws://127.0.0.1:8001/ws"


async def main():
    async with websockets.connect(URL) as socket:
        print(f"listening on {URL}: lift the handset")
        async for frame in socket:
            event = json.loads(frame)
            common = ("type", "timestamp", "line", "id")
            rest = {name: value for name, value in event.items() if name not in common}
            print(event.get("timestamp", ""), "line", event.get("line", "-"), event["type"], rest or "")


try:
    asyncio.run(main())
except KeyboardInterrupt:
    pass
except OSError as error:
    sys.exit(f"{URL}: {error}: is the server running? Try: make run")
except websockets.WebSocketException as error:
    sys.exit(f"{URL}: {error}: it wants ws://HOST:PORT/ws, with ?token=TOKEN where there are tokens")
