#!/bin/sh
# Recorded speech and music from Debian's packages: fetched once, unpacked under build/corpus, never installed. A raw
# file of each package for the talk-off counts, a list of WAV files of each language's voice for the voice detector.
#   fetch.sh [--synthetic]   synthetic speech as well, which needs espeak-ng
# Says what is missing.
set -u
cd "$(dirname "$0")/../.."
cache=$PWD/build/corpus
mkdir -p "$cache/raw" "$cache/synthetic"
get() {
  [ -d "$cache/$1" ] && return 0
  (cd "$cache" && { apt-get download "$1" || { apt-get update && apt-get download "$1"; }; }) >/dev/null 2>&1
  deb=$(ls "$cache/$1"_*.deb 2>/dev/null | head -n 1)
  [ -n "$deb" ] || { echo "# SKIP $1: cannot be fetched"; return 1; }
  mkdir "$cache/$1" && dpkg -x "$deb" "$cache/$1" && rm "$deb"
}
# Package, extension: one raw file of all its clips, in the order of their names.
gather() {
  get "$1" || return 0
  [ -s "$cache/raw/$1.raw" ] || [ -s "$cache/raw/$1.g722" ] && return 0
  case $2 in
  wav) find "$cache/$1" -name '*.wav' | sort | while read -r clip; do tail -c +45 "$clip"; done >"$cache/raw/$1.raw" ;;
  g722) find "$cache/$1" -name '*.g722' | sort | while read -r clip; do cat "$clip"; done >"$cache/raw/$1.g722" ;;
  gsm)
    command -v sox >/dev/null || { echo "# SKIP $1: needs sox"; return 0; }
    find "$cache/$1" -name '*.gsm' | sort | while read -r clip; do cat "$clip"; done |
      sox -t gsm -r 8000 -c 1 - -t raw -r 8000 -e signed -b 16 -c 1 "$cache/raw/$1.raw" ;;
  esac
}
for language in en es fr it ru; do
  gather "asterisk-core-sounds-$language-wav" wav
  gather "asterisk-core-sounds-$language-g722" g722
  gather "asterisk-core-sounds-$language-gsm" gsm
  [ ! -d "$cache/asterisk-core-sounds-$language-wav" ] ||
    find "build/corpus/asterisk-core-sounds-$language-wav" -name '*.wav' | sort >"$cache/$language.list"
done
gather asterisk-moh-opsound-wav wav
gather asterisk-moh-opsound-g722 g722
gather asterisk-prompt-it-menardi-wav wav
gather asterisk-prompt-es-co gsm
gather asterisk-prompt-fr-armelle gsm
[ "${1:-}" = --synthetic ] || exit 0
if command -v espeak-ng >/dev/null && command -v sox >/dev/null; then
  for voice in en-us en-gb de fr it es ru pl nl sv pt-br tr hi zh fi cs; do
    for kind in "" +f3 +m5; do
      for pitch in 20 50 80; do
        out=$cache/synthetic/$voice$kind-$pitch.raw
        [ -s "$out" ] || espeak-ng -v "$voice$kind" -p "$pitch" -s $((120 + pitch)) -f bench/dsp/said.txt --stdout 2>/dev/null |
          sox -t wav - -t raw -r 8000 -e signed -b 16 -c 1 "$out" 2>/dev/null
      done
    done
  done
else
  echo "# SKIP synthetic speech: needs espeak-ng and sox"
fi
