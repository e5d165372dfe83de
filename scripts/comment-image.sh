#!/usr/bin/env bash
# Draws docs/images/comment.png and comment-dark.png: the demo's last comment as a pull request shows it.
# Needs cmark-gfm, chromium, pngquant and python3 (Debian packages of those names).
# Usage: scripts/comment-image.sh [WIDTH [FOLDER]]    default: 900 docs/images
set -euo pipefail
cd "$(dirname "$0")/.."
width=${1:-900}
folder=${2:-docs/images}
for tool in cmark-gfm chromium pngquant python3; do
  command -v "$tool" >/dev/null || { echo "comment-image: $tool is missing: install the package $tool" >&2; exit 2; }
done
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$folder"

# PROMPTOPS names a binary that is built already.
if [ -n "${PROMPTOPS:-}" ]; then "$PROMPTOPS" demo --keep "$scratch" >/dev/null
else cargo run --quiet -- demo --keep "$scratch" >/dev/null; fi
# GitHub's Markdown: tables and no dangerous tags. Line ends inside a paragraph are line breaks in a comment.
cmark-gfm --unsafe --hardbreaks -e table -e strikethrough -e autolink -e tagfilter -e tasklist \
  "$scratch/3-shortened.md" >"$scratch/comment.html"

for theme in light dark; do
  python3 scripts/comment_page.py "$theme" "$scratch/comment.html" scripts/comment.css >"$scratch/$theme.html"
  browser=(chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --hide-scrollbars
    --disable-background-networking --disable-component-update --disable-sync "--user-data-dir=$scratch/profile")
  # The page writes its own height into its title; the window of the second run is as high.
  height=$("${browser[@]}" "--window-size=$width,1000" --dump-dom "file://$scratch/$theme.html" 2>/dev/null |
    sed -n 's:.*<title>\([0-9]*\)</title>.*:\1:p')
  "${browser[@]}" "--window-size=$width,${height:-1000}" --force-device-scale-factor=2 \
    "--screenshot=$scratch/$theme.png" "file://$scratch/$theme.html" >/dev/null 2>&1
  suffix=$([ "$theme" = dark ] && echo -dark || true)
  pngquant --force --strip --speed 1 --quality 60-90 --output "$folder/comment$suffix.png" "$scratch/$theme.png"
  echo "$folder/comment$suffix.png: $(wc -c <"$folder/comment$suffix.png") bytes"
done
