#!/bin/sh
# Brings a Debian machine to what `make run` or `make test` needs. What is there is left alone; what is missing is
# installed when we may, and otherwise said aloud with the command that mends it.
#   tools/setup.sh run    to build and serve
#   tools/setup.sh test   to run every test as well
#   tools/setup.sh bench  to measure as well
set -eu
cd "$(dirname "$0")/.."
for_what=${1:-run}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}
may_install() {
  command -v apt-get >/dev/null && { [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; }
}

# Debian packages, and how to see that each is there.
missing=""
need() { # package, then a test command
  package=$1
  shift
  "$@" >/dev/null 2>&1 || missing="$missing $package"
}
has() { command -v "$1"; }
has_header() { echo '#include <stdio.h>' | cc -E - ; }

need gcc has cc
need libc6-dev has_header
need make has make
if [ "$for_what" = bench ]; then
  need wrk has wrk
  # make bench-dsp: a peer of each detector, speech, what plays it, and what draws.
  need libwebrtc-audio-processing1 sh -c 'ls /usr/lib/*/libwebrtc_audio_processing.so.1'
  need espeak-ng has espeak-ng
  need sox has sox
  need libsox-fmt-all sh -c 'ls /usr/lib/*/sox/libsox_fmt_gsm.so'
  need gnuplot-nox has gnuplot
fi
if [ "$for_what" != run ]; then
  need clang-format has clang-format
  need gcc-aarch64-linux-gnu has aarch64-linux-gnu-gcc
  need libc6-dev-arm64-cross test -e /usr/aarch64-linux-gnu/lib/libc.so.6
  need qemu-user-static has qemu-aarch64-static
  need chromium test -x /usr/bin/chromium
  need python3-httpx /usr/bin/python3 -c 'import httpx'
  need python3-websockets /usr/bin/python3 -c 'import websockets'
  need python3-prometheus-client /usr/bin/python3 -c 'import prometheus_client'
  need util-linux has setarch
  need valgrind has valgrind
  need clang has clang
  need libclang-rt-14-dev sh -c 'ls /usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.fuzzer-*.a'
  # The kernel rig: emulators, and what unpacks and packs kernels, modules and initramfs.
  need qemu-system-x86 has qemu-system-x86_64
  need qemu-system-arm has qemu-system-aarch64
  need cpio has cpio
  need xz-utils has xz
  need kmod test -x /usr/sbin/modinfo
  need libelf1 sh -c 'ls /usr/lib/*/libelf.so.1'
  need debian-archive-keyring test -e /usr/share/keyrings/debian-archive-keyring.gpg
  # The appliance: its package, and a machine with systemd to install on.
  need dpkg has dpkg-deb
  need lintian has lintian
  need mmdebstrap has mmdebstrap
  need e2fsprogs test -x /usr/sbin/mke2fs
  need minimodem has minimodem
  # Encoders of every format that is played.
  need sox has sox
  need libsox-fmt-all sh -c 'ls /usr/lib/*/sox/libsox_fmt_vorbis.so'
  need flac has flac
  need vorbis-tools has oggenc
  need opus-tools has opusenc
  need lame has lame
  need libspandsp-dev test -e /usr/include/spandsp/adsi.h
  need libtonezone-dev test -e /usr/include/dahdi/tonezone.h
fi

if [ -n "$missing" ]; then
  if may_install; then
    echo "setup: installing$missing"
    log=$(mktemp)
    export DEBIAN_FRONTEND=noninteractive
    apt_install() { as_root apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends "$@"; }
    # shellcheck disable=SC2086
    if ! apt_install $missing >"$log" 2>&1; then
      as_root apt-get update -qq >>"$log" 2>&1 || true
      # shellcheck disable=SC2086
      apt_install $missing >>"$log" 2>&1 || {
        tail -n 20 "$log"
        echo "setup: could not install$missing; what needs them will be SKIPPED"
      }
    fi
    rm -f "$log"
  else
    echo "setup: missing here:$missing"
    echo "setup: mend it with: sudo apt-get install$missing"
  fi
fi

node -e 'process.exit(Number(process.versions.node.split(".")[0]) >= 18 ? 0 : 1)' || {
  echo "setup: Node.js 18 or newer is needed: sudo apt-get install nodejs npm"
  exit 1
}

# Our packages: anew when the lock file changed.
stamp=node_modules/.setup-stamp
if ! cmp -s package-lock.json "$stamp" 2>/dev/null; then
  echo "setup: npm ci"
  npm ci --no-progress --loglevel=error
  # npm may be set to run no install scripts: this one puts Bun's executable in its place.
  node_modules/.bin/bun --version >/dev/null 2>&1 || node node_modules/bun/install.js
  cp package-lock.json "$stamp"
fi
node_modules/.bin/bun --version >/dev/null || {
  echo "setup: Bun does not start: rm -rf node_modules and try again"
  exit 1
}
