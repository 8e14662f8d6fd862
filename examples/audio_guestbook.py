"""A guestbook at a party: lift the handset, hear the greeting, speak after the beep, hang up or press #.
The gallery is a web page of all entries. Needs Debian's python3-httpx and python3-websockets.
    audio_guestbook.py [greeting.wav] [--gallery gallery.html] [--api http://HOST:PORT]"""
import argparse
import asyncio
import html
import json
import pathlib
import sys

import httpx
import websockets

parser = argparse.ArgumentParser()
parser.add_argument("greeting", nargs="?", type=pathlib.Path)
parser.add_argument("--gallery", default="gallery.html", type=pathlib.Path)
parser.add_argument("--api", default="http://127.0.0.1:8000")
wishes = parser.parse_args()
API, gallery = wishes.api, wishes.gallery
greeting = wishes.greeting.read_bytes() if wishes.greeting else None
entry = {"beep": True, "finish_on_key": "#", "silence_timeout": 8000, "max_duration": 120_000}


async def write_gallery(api):
    recordings = (await api.get("/recordings")).json()["recordings"]
    rows = [
        f'<li>{html.escape(each["started"])}, {each["duration_ms"] / 1000:.0f} s<br>'
        f'<audio controls preload="none" src="{API}/recordings/{each["id"]}/audio"></audio></li>'
        for each in reversed(recordings)
        if each["state"] == "finished"
    ]
    gallery.write_text(f"<!doctype html><meta charset=utf-8><title>Guestbook</title><ul>{''.join(rows)}</ul>\n")
    print(f"{len(rows)} entries in {gallery}", flush=True)


async def main():
    async with httpx.AsyncClient(base_url=API) as api, websockets.connect(f"ws{API[4:]}/ws") as socket:
        print("lift the handset", flush=True)
        async for frame in socket:
            event = json.loads(frame)
            if event["type"] == "off_hook":
                if greeting:
                    await api.post("/play-audio", content=greeting)
                # The beep waits behind the greeting, and the recording for the beep.
                answer = await api.post("/record", json=entry)
                if answer.is_error:
                    print(answer.json()["detail"], flush=True)
            elif event["type"] == "recording_finished" and event["bytes"]:
                print(f'{event["duration_ms"] / 1000:.1f} s, {event["reason"]}', flush=True)
                await write_gallery(api)


try:
    asyncio.run(main())
except KeyboardInterrupt:
    pass
except (OSError, httpx.HTTPError) as error:
    sys.exit(f"{API}: {error}: is the server running? Try: make run")
