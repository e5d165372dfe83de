#!/usr/bin/env bash
# Builds the image without a Docker daemon, and runs it as an orchestrator would: not as root, on a root file system that
# cannot be written, without capabilities. Needs root, buildah, and a free port.
#
#   scripts/image-test.sh [FLAG OF buildah build]…
#
# For instance on a machine that reaches no image registry, with a base image of its own and cargo's downloads:
#
#   scripts/image-test.sh --build-arg RUST=localhost/rust --volume "$HOME/.cargo/registry:/usr/local/cargo/registry"
set -euo pipefail
cd "$(dirname "$0")/.."

image=localhost/promptops:test
port=${PORT:-18080}
most_binary=$((35 * 1000 * 1000))
most_image=$((45 * 1000 * 1000))
export BUILDAH_ISOLATION=${BUILDAH_ISOLATION:-chroot}

work=$(mktemp -d)
container=""
service=""
clean_up() {
  [ -z "$service" ] || kill -KILL "$service" 2>/dev/null || true
  if mountpoint -q "$work/root"; then umount -R "$work/root"; fi
  [ -z "$container" ] || buildah rm "$container" >/dev/null
  rm -rf "$work"
}
trap clean_up EXIT

fail() {
  echo "FAILED: $1" >&2
  if [ -s "$work/log" ]; then tail -n 20 "$work/log" >&2; fi
  exit 1
}

expect() { # what it is about, what is wanted, what there is
  [ "$2" = "$3" ] || fail "$1: \`$2\` was expected, not \`$3\`"
}

echo "== build"
# Only this form of image keeps the health check.
buildah build --format docker --layers --build-arg "REVISION=$(git rev-parse HEAD)" --tag "$image" "$@" .

echo "== what the image says of itself"
says() { buildah inspect --type image --format "{{.Docker.Config.$1}}" "$image"; }
expect user 65532:65532 "$(says User)"
expect entrypoint "[/promptops]" "$(says Entrypoint)"
expect command "[serve]" "$(says Cmd)"
expect "stop signal" SIGTERM "$(says StopSignal)"
expect volume "map[/data:{}]" "$(says Volumes)"
expect "health check" "[CMD /promptops healthcheck]" "$(says Healthcheck.Test)"
expect revision "$(git rev-parse HEAD)" \
  "$(buildah inspect --type image --format '{{index .Docker.Config.Labels "org.opencontainers.image.revision"}}' "$image")"

echo "== what is in it"
container=$(buildah from "$image")
root=$(buildah mount "$container")
find "$root" ! -type d -printf '%s\t/%P\n'
file "$root/promptops"
file "$root/promptops" | grep -qE 'statically linked|static-pie linked' || fail "the binary is not static"
binary=$(stat -c %s "$root/promptops")
total=$(find "$root" -type f -printf '%s\n' | awk '{ sum += $1 } END { print sum }')
echo "binary: $binary bytes; image: $total bytes"
expect "owner of /data" 65532:65532 "$(stat -c %u:%g "$root/data")"

echo "== run"
mkdir "$work/root" "$work/data"
# Every engine gives a container these.
mkdir "$root/dev"
chown 65532:65532 "$work/data"
mount --bind "$root" "$work/root"
mount -o remount,ro,bind "$work/root"
mount --bind "$work/data" "$work/root/data"
mount -t tmpfs -o mode=0755 devices "$work/root/dev"
for device in null zero random urandom; do
  touch "$work/root/dev/$device"
  mount --bind "/dev/$device" "$work/root/dev/$device"
done
# The environment is the image's and nothing of ours, but for the variables given first.
mapfile -t of_image < <(buildah inspect --type image --format '{{range .Docker.Config.Env}}{{println .}}{{end}}' "$image" | grep .)
setpriv=$(command -v setpriv)
chroot=$(command -v chroot)
in_image() {
  local given=()
  while [[ "$1" == *=* ]]; do given+=("$1"); shift; done
  exec env -i "${of_image[@]}" "${given[@]}" \
    "$setpriv" --no-new-privs --bounding-set=-all,+sys_chroot,+setuid,+setgid \
    "$chroot" --userspec=65532:65532 --groups= "$work/root" /promptops "$@"
}
if setpriv --reuid=65532 --regid=65532 --clear-groups touch "$work/root/new" 2>/dev/null; then
  fail "the root file system can be written"
fi
(in_image --version)
(in_image demo) > "$work/demo" || fail "the demo ended with $?: $(tail -n 3 "$work/demo")"
echo "demo: $(wc -l < "$work/demo") lines"

listen="PROMPTOPS_LISTEN=127.0.0.1:$port"
in_image "$listen" PROMPTOPS_GITHUB_APP_ID=1 PROMPTOPS_GITHUB_WEBHOOK_SECRET=throwaway \
  PROMPTOPS_GITHUB_PRIVATE_KEY="$(cat src/sim/key.pem)" PROMPTOPS_GITHUB_API_URL=http://127.0.0.1:1 \
  serve > "$work/log" 2>&1 &
service=$!
health() { (in_image "$listen" healthcheck) > "$work/health" 2>&1; }
for _ in $(seq 50); do
  if health; then break; fi
  kill -0 "$service" 2>/dev/null || fail "serve has ended"
  sleep 0.2
done
expect "promptops healthcheck" ready "$(cat "$work/health")"
expect "GET /healthz" "ok 200" "$(curl -s -w ' %{http_code}' "http://127.0.0.1:$port/healthz" | tr -d '\n')"
expect "GET /readyz" "ready 200" "$(curl -s -w ' %{http_code}' "http://127.0.0.1:$port/readyz" | tr -d '\n')"
unsigned=$(curl -s -o /dev/null -w '%{http_code}' -H 'content-type: application/json' -H 'x-github-event: ping' \
  -H 'x-github-delivery: 1' -d '{}' "http://127.0.0.1:$port/webhooks/github")
expect "a webhook without signature" 401 "$unsigned"
expect "owner of the service" 65532 "$(stat -c %u "/proc/$service")"
expect "owner of the database" 65532:65532 "$(stat -c %u:%g "$work/data/promptops.db")"
memory=$(awk '/VmHWM/ { print $2 }' "/proc/$service/status")
kill -TERM "$service"
code=0
wait "$service" || code=$?
service=""
expect "exit code after SIGTERM" 0 "$code"
if health; then fail "a stopped service is called healthy"; fi
echo "memory of serve at rest: $memory kB"
[ "$binary" -le "$most_binary" ] || fail "the binary is over $most_binary bytes"
[ "$total" -le "$most_image" ] || fail "the image is over $most_image bytes"
echo "all of it holds"
