#!/bin/sh
# Talk-off: an hour and more of recorded speech, in which the detector must hear no key. The speech is Debian's
# asterisk-core-sounds packages, five languages; fetched once, unpacked under build/, never installed.
set -u
cd "$(dirname "$0")/../.."
cache=build/corpus
mkdir -p "$cache"
for language in en es fr it ru; do
  package=asterisk-core-sounds-$language-wav
  [ -d "$cache/$package" ] && continue
  (cd "$cache" && { apt-get download "$package" || { apt-get update && apt-get download "$package"; }; }) >/dev/null 2>&1
  deb=$(ls "$cache/${package}"_*.deb 2>/dev/null | head -n 1)
  if [ -z "$deb" ]; then
    echo "ok 1 - talk-off # SKIP Debian's $package cannot be fetched: apt-get update, then try again"
    echo "1..1"
    exit 0
  fi
  mkdir "$cache/$package" && dpkg -x "$deb" "$cache/$package" && rm "$deb"
done
# Their WAV headers are 44 bytes; what a header says as sound would be 22 samples of noise.
find "$cache"/asterisk-core-sounds-*-wav -name '*.wav' | sort | while read -r file; do tail -c +45 "$file"; done >"$cache/speech.raw"
seconds=$(($(wc -c <"$cache/speech.raw") / 16000))
heard=$(dist/dtmf-cli "$cache/speech.raw")
verdict() { if [ "$1" = yes ]; then echo "ok $2 - $3"; else echo "not ok $2 - $3"; fi; }
verdict "$([ "$seconds" -ge 3600 ] && echo yes)" 1 "there is an hour of speech: $seconds s"
verdict "$([ -z "$heard" ] && echo yes)" 2 "no key is heard in it"
[ -z "$heard" ] || echo "$heard" | sed 's/^/# /'
voice=$(dist/vad-cli "$cache/speech.raw" | awk '$1 == 1 { n++ } END { printf "%d", 100 * n / NR }')
verdict "$([ "$voice" -ge 50 ] && [ "$voice" -le 99 ] && echo yes)" 3 "voice is heard in most of it: $voice %"
echo "1..3"
