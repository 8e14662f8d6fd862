"""A telephone menu: lift the handset and choose with the keys. Each question is one request, answered with the digits.
It speaks where espeak-ng or piper is installed, and beeps otherwise. Needs nothing but Python.
    menu.py [http://127.0.0.1:8000]"""
import json
import sys
import time
import urllib.error
import urllib.request

API = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000"


def call(path, **body):
    data = json.dumps(body).encode() if body else None
    request = urllib.request.Request(API + path, data, {"content-type": "application/json"})
    try:
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as problem:
        return json.load(problem)  # it says what to do


def words(text, tone="confirmation"):
    return {"say": text} if speaks else {"tone": tone}


def say(text):
    call("/play-audio", **words(text), wait=True)


def tell_time():
    say(time.strftime("It is %H:%M."))


def set_timer():
    asked = call("/gather", prompt=words("How many minutes? End with the hash key."), pattern="[1-9]X.", timeout=10)
    print("minutes", asked.get("digits"), asked.get("reason"), flush=True)
    if asked.get("reason") in ("complete", "finish_key"):
        say(f"In {asked['digits']} minutes.")


choices = {"1": tell_time, "2": set_timer}
try:
    speaks = bool(call("/speech/voices")["engines"])
    print("lift the handset", flush=True)
    while True:
        menu = words("One for the time, two for a timer.", "dial")
        asked = call("/gather", prompt=menu, pattern="1|2", when="off_hook", timeout=10)
        print("chosen", asked.get("digits"), asked.get("reason") or asked["detail"], flush=True)
        if asked.get("reason") == "complete":
            choices[asked["digits"]]()
        elif asked.get("reason") in (None, "error", "stopped"):
            time.sleep(1)  # the line is not ready, or somebody else asks
except KeyboardInterrupt:
    pass
except OSError as error:
    sys.exit(f"{API}: {error}: is the server running? Try: make run")
