#!/bin/sh
# Bundles src/ into one script: dist/pptp-gateway.js (or the path given as the first argument), and package.json beside it, which says
# that it is CommonJS: the loader of ES modules, and a namespace for each module of Node's, are 1.2 to 1.6 MB of memory.
# ESBUILD: the bundler, a native program; neither Node nor the network is needed.
set -eu
cd "$(dirname -- "$0")/.."

output=${1:-dist/pptp-gateway.js}
version=$(sed -n 's/^  "version": "\(.*\)",$/\1/p' package.json)
mkdir -p -- "$(dirname -- "$output")"
"${ESBUILD:-node_modules/.bin/esbuild}" src/daemon/main.ts --bundle --platform=node --target=node20 --format=cjs \
	--outfile="$output" --minify --log-level=warning --legal-comments=none \
	--define:__VERSION__="\"$version\"" --define:import.meta.url=bundleUrl \
	--banner:js='"use strict";const bundleUrl=require("node:url").pathToFileURL(__filename).href;'
chmod 755 "$output"
echo '{ "type": "commonjs" }' >"$(dirname -- "$output")/package.json"
