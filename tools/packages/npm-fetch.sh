#!/bin/sh
# Fetches one package of npm and checks what came against its integrity. Usage: npm-fetch.sh NAME VERSION INTEGRITY OUTPUT.tgz
set -eu
name=$1 version=$2 integrity=$3 output=$4

integrity_of() {
	node -p '"sha512-" + require("crypto").createHash("sha512").update(require("fs").readFileSync(process.argv[1])).digest("base64")' "$1"
}

[ ! -f "$output" ] || [ "$(integrity_of "$output")" != "$integrity" ] || exit 0
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
file=$(npm pack --silent --pack-destination "$folder" "$name@$version")
[ "$(integrity_of "$folder/$file")" = "$integrity" ] || { echo "npm-fetch: $name@$version is not what it was: its integrity differs" >&2; exit 1; }
mkdir -p "$(dirname "$output")"
mv "$folder/$file" "$output"
