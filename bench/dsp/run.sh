#!/bin/sh
# make bench-dsp: the axes, the talk-off counts and the instructions per sample of the DTMF detectors, side by side.
# The curves go to build/bench/dtmf_axes.csv (axis, unit, x, hit rate of each). GROUPS=200 SEED=1 LAW=0 by default.
set -u
cd "$(dirname "$0")/../.."
sh bench/dsp/fetch.sh
echo "== axes"
build/bench/bench-dtmf --groups "${GROUPS_PER_POINT:-200}" --seed "${SEED:-1}" --law "${LAW:-0}" --csv build/bench/dtmf_axes.csv
echo
echo "== talk-off: digits heard in"
all=0.8,0.825,0.85,0.875,0.9,0.925,0.95,0.975,1,1.025,1.05,1.075,1.1,1.13,1.17,1.21,1.25
raw=$(ls build/corpus/raw/*.raw 2>/dev/null)
g722=$(ls build/corpus/raw/*.g722 2>/dev/null)
synthetic=$(ls build/corpus/synthetic/*.raw 2>/dev/null)
count() { # name, arguments of talkoff
  printf '%-52s ' "$1"
  shift
  build/bench/talkoff "$@"
}
# shellcheck disable=SC2086
{
  [ -z "$raw" ] || count "recorded speech and music" $raw
  [ -z "$raw" ] || count "the same through mu-law" --law 1 $raw
  [ -z "$g722" ] || count "the same from G.722" --g722 $g722
  [ -z "$raw" ] || count "recorded, replayed at 17 speeds" --speeds $all $raw
  [ -z "$synthetic" ] || count "synthetic speech (espeak-ng), at 5 speeds" --speeds 1,0.85,0.93,1.08,1.2 $synthetic
}
echo
echo "== instructions per sample (callgrind, the detector's call alone)"
if ! command -v valgrind >/dev/null; then
  echo "# SKIP needs valgrind"
  exit 0
fi
head -c 19200000 /dev/zero >build/bench/silence.raw
for file in build/corpus/raw/asterisk-core-sounds-*-wav.raw build/bench/silence.raw; do
  [ -s "$file" ] || continue
  samples=$(($(wc -c <"$file") / 2))
  for peer in ours spandsp; do
    call=dsp_dtmf_process
    [ $peer = spandsp ] && call=dtmf_rx
    valgrind --tool=callgrind --callgrind-out-file=/dev/null --toggle-collect=$call build/bench/talkoff --only $peer "$file" 2>&1 |
      awk -v n="$samples" -v f="$(basename "$file")" -v p=$peer '/Collected/ { printf "%-40s %-8s %6.2f\n", f, p, $NF / n }'
  done
done
