#!/usr/bin/env bash
# Puts one version of promptops on this runner and says where it is: from the runner's tool cache, else from the release (checksum
# and provenance checked), else built by cargo. Must not know what the step evaluates. Runs on the bash 3.2 of macOS and Git's on Windows.
set -euo pipefail

repository=promptops/promptops
official=https://github.com/$repository/releases/download

# A workflow command is one line; whatever an input holds, it starts no second one.
say() { # LEVEL TEXT
  local text=$2
  text=${text//'%'/%25}
  text=${text//$'\r'/%0D}
  text=${text//$'\n'/%0A}
  printf '::%s title=promptops::%s\n' "$1" "$text"
}

# Ends as the command does: 2 for wrong input, 3 for what could not be had.
die() { # CODE TEXT
  say error "$2"
  exit "$1"
}

native() { # PATH: as this bash writes it
  if command -v cygpath >/dev/null 2>&1; then cygpath -u "$1"; else printf '%s\n' "$1"; fi
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
work=$(mktemp -d "$(native "${RUNNER_TEMP:-${TMPDIR:-/tmp}}")/promptops-install.XXXXXX")
trap 'rm -rf "$work"' EXIT
# Out of the checkout: cargo and others read settings from the folder they start in, and a pull request may have changed those.
cd "$work"

find_version() {
  own=$(sed -n 's/^version = "\(.*\)"$/\1/p' "$here/Cargo.toml" | head -n 1)
  version=${INPUT_VERSION:-$own}
  version=${version#v}
  local form='^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$'
  # The pattern's `$` is the end of the whole text, so a second line does not pass.
  [[ $version =~ $form ]] || die 2 "the input \`version\` is \`$version\`: write a released version such as 0.1.0, or leave it out"
}

find_target() {
  system=${RUNNER_OS:-$(uname -s)}
  machine=${RUNNER_ARCH:-$(uname -m)}
  extension=tar.gz
  executable=promptops
  case $system/$machine in
    Linux/X64 | Linux/x86_64) target=x86_64-unknown-linux-musl ;;
    Linux/ARM64 | Linux/aarch64) target=aarch64-unknown-linux-musl ;;
    macOS/X64 | Darwin/x86_64) target=x86_64-apple-darwin ;;
    macOS/ARM64 | Darwin/arm64) target=aarch64-apple-darwin ;;
    Windows/X64) target=x86_64-pc-windows-msvc extension=zip ;;
    *) target= ;;
  esac
  if [ "$system" = Windows ]; then executable=promptops.exe; fi
}

# Whether the file was there; every other trouble ends the step. Passing faults are tried again.
fetch() { # URL FILE
  local schemes='=https' redirects='=https' status=0 code
  if [ -n "$mirror" ]; then schemes='=https,http,file' redirects='=https,http'; fi
  code=$(curl --silent --show-error --fail --location --proto "$schemes" --proto-redir "$redirects" --retry 4 \
    --connect-timeout 20 --max-time 300 --write-out '%{http_code}' --output "$2" "$1" 2>"$work/curl.txt") || status=$?
  case $status/$code in
    0/*) return 0 ;;
    22/404 | 22/410 | 37/*) return 1 ;;
  esac
  die 3 "cannot download $1: $(tail -n 1 "$work/curl.txt"); allow the runner to reach that address, or set PROMPTOPS_DOWNLOAD_URL to a mirror"
}

sha256() { # FILE
  if command -v sha256sum >/dev/null 2>&1; then sha256sum <"$1"; else shasum -a 256 <"$1"; fi | awk '{ print $1 }'
}

check_sum() {
  local wanted found
  fetch "$base/SHA256SUMS" "$work/SHA256SUMS" || die 3 "$base has no SHA256SUMS, so $asset cannot be checked; put the release's file there"
  wanted=$(awk -v name="$asset" '$2 == name || $2 == "*" name { print $1 }' "$work/SHA256SUMS")
  found=$(sha256 "$work/$asset")
  [ -n "$wanted" ] || die 3 "SHA256SUMS of $base does not list $asset; take the file from the same release"
  [ "$wanted" = "$found" ] ||
    die 3 "the checksum of $base/$asset is $found, not $wanted as its SHA256SUMS says: nothing was installed; download it again, and report it if it stays so"
}

# The bundle is an asset of the release, so that neither a token nor GitHub's API is needed, on Enterprise Server and mirrors too.
check_provenance() {
  local help
  # Not through a pipe: a reader that ends early would make the writer fail, and that would look like a gh that cannot.
  help=$(gh attestation verify --help 2>/dev/null) || help=""
  if [[ $help != *--source-ref* ]]; then
    say warning "the provenance of promptops $version was not checked: this runner has no \`gh\` that can (2.67 or newer); its checksum was"
    return
  fi
  if ! fetch "$base/provenance.jsonl" "$work/provenance.jsonl"; then
    [ -n "$mirror" ] || die 3 "the release v$version has no provenance.jsonl, so where $asset was built cannot be checked; nothing was installed"
    say warning "the provenance of promptops $version was not checked: $base has no provenance.jsonl; its checksum was"
    return
  fi
  GH_HOST=github.com gh attestation verify "$work/$asset" --bundle "$work/provenance.jsonl" --repo "$repository" \
    --signer-workflow "$repository/.github/workflows/release.yml" --source-ref "refs/tags/v$version" \
    --deny-self-hosted-runners >"$work/gh.txt" 2>&1 ||
    die 3 "the provenance of $base/$asset is not that of $repository's release workflow: nothing was installed. $(tail -n 3 "$work/gh.txt")"
}

unpack() {
  mkdir "$work/new"
  if [ "$extension" = tar.gz ]; then
    tar -xzf "$work/$asset" -C "$work/new" --strip-components=1
  elif command -v unzip >/dev/null 2>&1; then
    unzip -q -j "$work/$asset" -d "$work/new"
  else
    "$(native "$SYSTEMROOT")/System32/tar.exe" -xf "$asset" -C new --strip-components=1
  fi
}

# From the action's own source where that is the version asked for, else from its tag.
build() { # REASON
  local source=(--path "$here") advice='use a runner with Linux, macOS or Windows on x86-64, or Linux or macOS on ARM64'
  command -v cargo >/dev/null 2>&1 || die 2 "$1, and there is no cargo to build it with; $advice, or install Rust before this step"
  if [ "$version" != "$own" ]; then source=(--git "https://github.com/$repository" --tag "v$version" promptops); fi
  say notice "$1: cargo builds it from source, which takes some ten minutes"
  CARGO_TARGET_DIR="$work/target" cargo install --locked --root "$work/built" "${source[@]}" ||
    die 3 "$1, and cargo could not build it (see the lines above); it needs Rust, a C compiler and CMake"
  mv "$work/built/bin" "$work/new"
}

obtain() {
  mirror=${PROMPTOPS_DOWNLOAD_URL:-}
  if [ -z "$target" ]; then
    build "promptops has no binary for $system on $machine"
    return
  fi
  base=${mirror:-$official}
  base=${base%/}/v$version
  asset=promptops-$version-$target.$extension
  if ! fetch "$base/$asset" "$work/$asset"; then
    build "there is no $base/$asset"
    return
  fi
  check_sum
  check_provenance
  unpack
}

case ${INPUT_CACHE:-false} in
  true | false) ;;
  *) die 2 "the input \`cache\` is \`$INPUT_CACHE\`: write \`true\` or \`false\`" ;;
esac
find_version
find_target
folder=$(native "${RUNNER_TOOL_CACHE:-${RUNNER_TEMP:-/tmp}}")/promptops/$version/$system-$machine
binary=$folder/$executable
if ! { [ -x "$binary" ] && "$binary" --version >/dev/null 2>&1; }; then
  obtain
  said=$("$work/new/$executable" --version) || die 3 "promptops $version does not run on $system on $machine: $said"
  [ "$said" = "promptops $version" ] || die 3 "asked for promptops $version and got \`$said\`; nothing was installed"
  # Into place in one step: other jobs may share the tool cache.
  mkdir -p "$(dirname "$folder")"
  rm -rf "$folder"
  mv "$work/new" "$folder"
fi
printf 'promptops %s: %s\n' "$version" "$binary"
printf 'binary=%s\n' "$binary" >>"${GITHUB_OUTPUT:-/dev/null}"
