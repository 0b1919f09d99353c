#!/usr/bin/env bash
# Fetches one package of npm, unless it is there already, checks it against npm.lock, and prints its place.
# Usage: npm-fetch.sh KEY     the first word of the line in npm.lock
set -euo pipefail
cd "$(dirname "$0")/../.."
cache=$PWD/node_modules/.cache/packages
fail() { echo "npm-fetch: $*" >&2; exit 1; }

line=$(grep "^$1 " tools/packages/npm.lock) || fail "npm.lock has no $1"
read -r _ name version integrity <<EOF
$line
EOF
archive=$cache/$1-$version.tgz

verified() {
	[ "$(node -p '"sha512-" + require("crypto").createHash("sha512").update(require("fs").readFileSync(process.argv[1])).digest("base64")' "$1")" = "$integrity" ]
}

if [ ! -f "$archive" ] || ! verified "$archive"; then
	folder=$(mktemp -d)
	trap 'rm -rf "$folder"' EXIT
	echo "npm-fetch: $name $version $integrity" >&2
	file=$(npm pack --silent --pack-destination "$folder" "$name@$version")
	verified "$folder/$file" || fail "$name $version is not what it was: its integrity differs"
	mkdir -p "$cache"
	mv "$folder/$file" "$archive"
fi
echo "$archive"
