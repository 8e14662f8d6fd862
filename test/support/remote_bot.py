"""A voice bot whose mouth and ears are its standard streams. Debian's python3-websockets, or sockets, speak the protocol.

    remote_bot.py twilio|audiosocket [deaf]

One line on standard input is said to whoever is connected: a text frame (twilio), or bytes in hexadecimal
(audiosocket); "close" closes. One line of JSON on standard output for what happens: port, connected, message, closed.
"""

import asyncio
import json
import sys

import websockets

deaf = "deaf" in sys.argv
connected = None


def told(event, **fields):
    print(json.dumps({"event": event, **fields}), flush=True)


async def over_websocket(call):
    global connected
    connected = call
    request_headers = call.request.headers if hasattr(call, "request") else call.request_headers
    told("connected", headers={name.lower(): value for name, value in request_headers.raw_items()})
    if deaf:
        await asyncio.Future()
    try:
        async for text in call:
            told("message", text=text)
    except websockets.ConnectionClosed:
        pass
    told("closed", code=call.close_code)


async def over_tcp(reader, writer):
    global connected
    connected = writer
    told("connected")
    while not deaf and (data := await reader.read(65536)):
        told("message", hex=data.hex())
    if deaf:
        await asyncio.Future()
    told("closed")
    writer.close()


async def say(line):
    if isinstance(connected, asyncio.StreamWriter):
        if line == "close":
            connected.close()
        else:
            connected.write(bytes.fromhex(line))
    elif line == "close":
        await connected.close()
    else:
        await connected.send(line)


async def main():
    if sys.argv[1] == "twilio":
        server = await websockets.serve(over_websocket, "127.0.0.1", 0, max_queue=4)
        port = server.sockets[0].getsockname()[1]
    else:
        server = await asyncio.start_server(over_tcp, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
    told("port", port=port)
    lines = asyncio.StreamReader(limit=16 * 1024 * 1024)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := await lines.readline():
        await say(line.decode().strip())


asyncio.run(main())
