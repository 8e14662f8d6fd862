#!/bin/sh
# Waits for the lift, and plays a sound file: examples/play_file.sh hello.wav
set -eu
file=${1:?usage: play_file.sh FILE [http://HOST:PORT]}
url=${2:-http://127.0.0.1:8000}
[ -r "$file" ] || { echo "cannot read $file" >&2; exit 1; }
curl -sS --fail-with-body --data-binary @"$file" -H 'content-type: application/octet-stream' \
  "$url/play-audio?when=off_hook&wait=true"
echo
