"""Runs every Python snippet of docs/client-development-guide.md, unchanged, against the compiled executable.

The snippets come out of the guide file itself. What they leave open (the client, the handlers, what a complete
command is) is supplied here, as a reader of the guide would. Prints TAP.
"""
import ast
import asyncio
import warnings
import contextlib
import io
import json
import logging
import math
import os
import pathlib
import re
import signal
import struct
import subprocess
import sys
import tempfile
import uuid
from datetime import datetime

import httpx
import websockets

warnings.simplefilter("ignore", DeprecationWarning)
import audioop  # noqa: E402  leaves Python with 3.13; Debian 12 has 3.11

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXECUTABLE = ROOT / "dist/dahdi-phone-api-linux-x64"
GUIDE = (ROOT / "docs/client-development-guide.md").read_text()
SNIPPETS = re.findall(r"```python\n(.*?)```", GUIDE, re.S)
SIMULATOR = "http://server:8000/simulator/lines/1"
# For a condition: a busy machine may well stand still for ten seconds.
PATIENCE_S = 45

executed = set()
count = 0
failures = 0


def ok(good, name):
    global count, failures
    count += 1
    failures += 0 if good else 1
    print(f"{'ok' if good else 'not ok'} {count} - {name}", flush=True)


def snippet(marker):
    """The one snippet that contains the marker."""
    found = [text for text in SNIPPETS if marker in text]
    assert len(found) == 1, (marker, len(found))
    return found[0]


async def execute(text, names):
    """exec, with the top-level await that the guide's snippets use."""
    executed.add(text)
    code = compile(text, "guide", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    result = eval(code, names)
    if asyncio.iscoroutine(result):
        await result


class Server:
    def __init__(self):
        self.process = None

    async def start(self):
        self.process = subprocess.Popen(
            [EXECUTABLE, "serve", "--simulate=4"],
            env={**os.environ, "DAHDI_API_STATE_DIR": tempfile.mkdtemp()},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        async with httpx.AsyncClient() as client:
            for _ in range(PATIENCE_S * 50):
                with contextlib.suppress(httpx.TransportError):
                    await client.get("http://server:8000/health")
                    return
                await asyncio.sleep(0.02)
        raise RuntimeError("the server did not answer")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE_S)


async def until(condition, limit_s=PATIENCE_S):
    """Waits for a condition, never for a guess."""
    for _ in range(int(limit_s / 0.01)):
        if condition():
            return True
        await asyncio.sleep(0.01)
    return False


def sine(ms):
    return struct.pack(f"<{ms * 8}h", *(round(9000 * math.sin(2 * math.pi * 440 * i / 8000)) for i in range(ms * 8)))


async def main():
    server = Server()
    await server.start()
    client = httpx.AsyncClient(timeout=PATIENCE_S)

    async def hand(verb, **fields):
        answer = await client.post(f"{SIMULATOR}/{verb}", json=fields or None)
        assert answer.status_code == 200, answer.text

    seen = {"off_hook": [], "dtmf": [], "on_hook": []}
    names = {
        "client": client,
        "websockets": websockets,
        "httpx": httpx,
        "json": json,
        "asyncio": asyncio,
        "uuid": uuid,
        "datetime": datetime,
        "logger": logging.getLogger("guide"),
    }
    for kind, events in seen.items():

        async def handle(event, events=events):
            events.append(event)

        names[f"handle_{kind}"] = handle

    # Connection flow, event handling.
    await execute(snippet("# First verify server is available"), names)
    ok(names["response"].status_code == 200, "connection flow: the server is available")
    ok(names["ws_client"].open, "connection flow: the WebSocket is connected")
    await execute(snippet("# Handle different event types"), names)
    handling = asyncio.create_task(names["handle_events"]())
    await hand("lift")
    await hand("press", digits="159")
    await hand("hang-up")
    ok(await until(lambda: seen["on_hook"]), "event handling: on_hook arrives")
    ok(len(seen["off_hook"]) == 1, "event handling: off_hook came once")
    ok([event["digit"] for event in seen["dtmf"]] == ["1", "5", "9"], "event handling: the keys are heard")
    ok(all(abs(event["duration"] - 100) <= 10 for event in seen["dtmf"]), "event handling: durations in ms")
    ok(all(abs(event["signal_level"] + 10) <= 1 for event in seen["dtmf"]), "event handling: levels in dBm0")

    # Ring and stop; play.
    bell = (await client.get(SIMULATOR)).json()["bell"]["bursts"]
    await execute(snippet("# Start ring"), names)
    after = (await client.get(SIMULATOR)).json()["bell"]
    ok(after["bursts"] == bell + 1 and not after["ringing"], "ring: the bell rang, and was stopped early")
    ok((await client.get("http://server:8000/status")).json()["state"] == "IDLE", "stop-ring: the line is idle")

    names["prepare_audio"] = lambda: sine(500)
    await hand("lift")
    await execute(snippet("# Prepare audio data"), names)
    status = None
    for _ in range(PATIENCE_S * 50):
        events = (await client.get("http://server:8000/events?types=playback_finished")).json()["events"]
        if events:
            status = events[-1]
            break
        await asyncio.sleep(0.02)
    ok(status is not None and status["reason"] == "completed" and status["heard_ms"] == 500, "play: it was heard")
    ear = (await client.get(f"{SIMULATOR}/ear?seconds=30")).content[44:]
    # The telephone's line is mu-law; Python has a coder of its own.
    wanted = audioop.ulaw2lin(audioop.lin2ulaw(sine(500), 2), 2)
    ok(ear.find(wanted) >= 0, "play: found in the telephone's ear, sample for sample after companding")

    # Command processor.
    commands = []
    await execute(snippet("class CommandProcessor"), names)

    class Commands(names["CommandProcessor"]):
        async def _execute_command(self):
            commands.append("".join(self.command_buffer))

    processor = Commands()
    seen["dtmf"].clear()
    await hand("press", digits="*21")
    await until(lambda: len(seen["dtmf"]) == 3)
    for event in seen["dtmf"]:
        await processor.handle_dtmf(event)
    ok(commands == ["*21"], "command processor: three keys are a command")

    # Timer: lift, a digit, hang up; 0 minutes.
    await execute(snippet("class PhoneTimer"), names)

    class Timer(names["PhoneTimer"]):
        def _is_timer_sequence(self, events):
            return [event["type"] for event in events] == ["off_hook", "dtmf", "on_hook"]

    seen["dtmf"].clear()
    seen["on_hook"].clear()
    await hand("press", digits="0")
    await hand("hang-up")
    await until(lambda: seen["on_hook"] and seen["dtmf"])
    timer = Timer()
    await timer.handle_sequence([seen["off_hook"][-1], seen["dtmf"][-1], seen["on_hook"][-1]])
    ok(len(timer.active_timers) == 1, "timer: the sequence is recognised")
    ok(await until(lambda: not timer.active_timers), "timer: it ran out and rang")
    stops = []
    for _ in range(PATIENCE_S * 50):
        answer = await client.get("http://server:8000/events?types=ring_stop")
        stops = [event for event in answer.json()["events"] if event["pattern"] == "TIMER"]
        if stops:
            break
        await asyncio.sleep(0.02)
    ok(stops and stops[0]["reason"] == "completed" and stops[0]["repeat"] == 1, "timer: TIMER rang once")

    # Voice monitor.
    await execute(snippet("class VoiceMonitor"), names)
    voices = []
    listening = await websockets.connect("ws://server:8001/ws?types=voice")
    await hand("lift")
    speech = bytes(0) + struct.pack("<8000h", *(round(8000 * math.sin(i * i / 9000)) for i in range(8000)))
    answer = await client.post(f"{SIMULATOR}/speak", content=speech)
    assert answer.status_code == 200, answer.text
    monitor = names["VoiceMonitor"]()
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        while len(voices) < 2:
            voices.append(json.loads(await asyncio.wait_for(listening.recv(), PATIENCE_S)))
            await monitor.handle_voice(voices[-1])
    ok(
        printed.getvalue() == "Voice activity started\nVoice activity ended\n",
        "voice monitor: a talkspurt starts and ends",
    )
    await hand("hang-up")

    # Errors: requests, validation.
    await execute(snippet("async def safe_request"), names)
    answer = await names["safe_request"]("GET", "http://server:8000/status")
    ok(answer is not None and answer.json()["line"] == 1, "safe request: a good one is answered")
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        refused = await names["safe_request"]("GET", "http://server:8000/nothing")
    ok(refused is None and "404" in printed.getvalue(), "safe request: a bad one is an HTTP error")
    await execute(snippet("def process_event"), names)
    page = (await client.get("http://server:8000/events?limit=1000")).json()["events"]
    ok(len(page) > 10 and all(names["process_event"](event) is event for event in page), "validation: every event passes")
    logging.getLogger("guide").disabled = True
    ok(names["process_event"]({"type": "dtmf"}) is None, "validation: a malformed one does not")

    # Logging, traffic log.
    await execute(snippet("# Component-specific loggers"), names)
    for library in ("httpx", "httpcore", "websockets", "websockets.client", "asyncio"):
        logging.getLogger(library).setLevel(logging.WARNING)
    await execute(snippet("async def log_websocket_traffic"), names)
    records = []
    catcher = logging.Handler()
    catcher.emit = lambda record: records.append(record.getMessage())
    logging.getLogger().handlers = [catcher]
    traffic = asyncio.create_task(names["log_websocket_traffic"](await websockets.connect("ws://server:8001/ws")))
    await asyncio.sleep(0)
    ok(await until(lambda: True), "traffic log: connected")
    await hand("lift")
    ok(await until(lambda: any("off_hook" in text for text in records)), "traffic log: frames are logged")

    # The guide's event simulation sends frames to a server: ours ignores them and goes on.
    class JsonSocket:
        def __init__(self, socket):
            self.socket = socket

        async def send_json(self, frame):
            await self.socket.send(json.dumps(frame))

    sender = await websockets.connect("ws://server:8001/ws?types=on_hook")
    names["ws"] = JsonSocket(sender)
    await execute(snippet("async def simulate_timer_sequence"), names)
    await names["simulate_timer_sequence"]()
    await hand("hang-up")
    frame = json.loads(await asyncio.wait_for(sender.recv(), PATIENCE_S))
    ok(frame["type"] == "on_hook" and "id" in frame, "event simulation: frames of a client are ignored")
    # A class for tests with FastAPI: it is not ours to run, but it must be Python.
    await execute(snippet("class MockPhoneServer"), names)
    ok("MockPhoneServer" in names, "mock server: defined")

    # Reconnection, through a stop and a start of the server.
    handling.cancel()
    reconnected = []

    async def handle_events(socket):
        reconnected.append(socket)
        async for _ in socket:
            pass
        raise websockets.ConnectionClosed(None, None)

    names["handle_events"] = handle_events
    await execute(snippet("async def maintain_connection"), names)
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        keeping = asyncio.create_task(names["maintain_connection"]())
        await until(lambda: len(reconnected) == 1)
        code = server.stop()
        await until(lambda: "reconnecting" in printed.getvalue() or "Error" in printed.getvalue())
        await server.start()
        again = await until(lambda: len(reconnected) == 2)
        keeping.cancel()
    ok(code == 0, "reconnection: the server stopped in good order")
    ok(again, "reconnection: the client came back by itself")
    traffic.cancel()
    ok(executed == set(SNIPPETS) and len(SNIPPETS) >= 14, f"all {len(SNIPPETS)} snippets of the guide were run")
    await client.aclose()
    server.stop()


try:
    asyncio.run(main())
except Exception as error:  # a crash is a failure with its reason, not silence
    ok(False, f"{type(error).__name__}: {error}")
    import traceback

    print("".join(f"# {line}\n" for line in traceback.format_exc().splitlines()))
print(f"1..{count}")
sys.exit(1 if failures else 0)
