#!/usr/bin/env bash
# make runtime-lock: writes debian.lock: of each CPU and package of the runtime the version that Debian has now, and its hash.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tools/packages/cpus.sh
lock=tools/packages/debian.lock
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
echo '# What the packages take from Debian 13: CPU, package, version, SHA-256. Written by make runtime-lock.' >"$work/lock"
: >"$lock" # whatever is newest
for cpu in x86_64 aarch64 arm; do
	packages=$(runtime_packages "$cpu")
	[ "$cpu" != x86_64 ] || packages="$packages $header_packages"
	# shellcheck disable=SC2086
	apt=$(tools/packages/debian-fetch.sh "$cpu" $packages 2>/dev/null)
	for deb in "$apt"/debs/*.deb; do
		echo "$cpu $(dpkg-deb --show --showformat='${Package} ${Version}' "$deb") $(sha256sum "$deb" | cut -d' ' -f1)"
	done | sort >>"$work/lock"
done
cp "$work/lock" "$lock"
