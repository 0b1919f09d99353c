#!/bin/sh
# Bundles src/ into one script: dist/pptp-gateway.js (or the path given as the first argument).
# ESBUILD: the bundler, a native program; neither Node nor the network is needed.
set -eu
cd "$(dirname -- "$0")/.."

output=${1:-dist/pptp-gateway.js}
version=$(sed -n 's/^  "version": "\(.*\)",$/\1/p' package.json)
mkdir -p -- "$(dirname -- "$output")"
"${ESBUILD:-node_modules/.bin/esbuild}" src/daemon/main.ts --bundle --platform=node --target=node20 --format=esm \
	--outfile="$output" --minify --log-level=warning --legal-comments=none \
	--define:__VERSION__="\"$version\""
chmod 755 "$output"
