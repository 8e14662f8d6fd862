#!/bin/sh
# Recorded speech for the voice activity bench: Debian's asterisk-core-sounds packages, unpacked under build/, never
# installed; a list of WAV files for each language's voice. Prints the lists that there are.
set -u
cd "$(dirname "$0")/../.."
cache=build/corpus
mkdir -p "$cache"
for language in en es fr it ru; do
  package=asterisk-core-sounds-$language-wav
  if [ ! -d "$cache/$package" ]; then
    (cd "$cache" && { apt-get download "$package" || { apt-get update && apt-get download "$package"; }; }) >/dev/null 2>&1
    deb=$(ls "$cache/${package}"_*.deb 2>/dev/null | head -n 1)
    if [ -z "$deb" ]; then
      echo "# SKIP $language: Debian's $package cannot be fetched" >&2
      continue
    fi
    mkdir "$cache/$package" && dpkg -x "$deb" "$cache/$package" && rm "$deb"
  fi
  find "$cache/$package" -name '*.wav' | sort >"$cache/$language.list"
  echo "$cache/$language.list"
done
