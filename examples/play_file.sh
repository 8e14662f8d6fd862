#!/bin/sh
# Plays a sound file to the telephone when it is lifted: examples/play_file.sh hello.wav
set -eu
file=${1:?usage: play_file.sh FILE [http://HOST:PORT]}
url=${2:-http://127.0.0.1:8000}
curl --fail-with-body --data-binary @"$file" -H 'content-type: application/octet-stream' \
  "$url/play-audio?when=off_hook&wait=true"
echo
