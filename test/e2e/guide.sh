#!/bin/sh
# The guide's Python snippets, word for word, in a network of their own where "server" is this machine and the
# ports 8000 and 8001 are free: so not a character of them needs changing.
set -u
cd "$(dirname "$0")/../.."
skip() {
  echo "ok 1 - guide # SKIP $1"
  echo "1..1"
  exit 0
}
/usr/bin/python3 -c 'import httpx, websockets' 2>/dev/null || skip "sudo apt-get install python3-httpx python3-websockets"
if [ "$(id -u)" = 0 ]; then apart="unshare -m -n"; else apart="unshare -r -m -n"; fi
$apart true 2>/dev/null || skip "namespaces are not to be had: run as root"
hosts=$(mktemp)
echo "127.0.0.1 localhost server" >"$hosts"
trap 'rm -f "$hosts"' EXIT
$apart sh -c '
  ip link set lo up 2>/dev/null || /usr/bin/python3 test/e2e/loopback_up.py
  mount --bind "$1" /etc/hosts
  exec /usr/bin/python3 test/e2e/guide.py' sh "$hosts"
