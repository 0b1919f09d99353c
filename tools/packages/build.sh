#!/usr/bin/env bash
# make packages: builds what the source feed has as .ipk and .apk, with the stand-in for OpenWrt's build system in buildroot/.
# Usage: SOURCE_DATE_EPOCH=… build.sh ARCHITECTURE…     as OpenWrt names them: x86_64, aarch64_cortex-a53, …
set -euo pipefail
: "${SOURCE_DATE_EPOCH:?}"
cd "$(dirname "$0")/../.."
. tools/packages/cpus.sh
root=$PWD
output=$root/dist/packages
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
rm -rf "$output"

# The build is cut off from every network: what is not in the feed is missing.
isolated=
[ "$(id -u)" != 0 ] || isolated='unshare --net'
# Usage: build PACKAGE ARCHITECTURE VARIABLE=VALUE…
build() {
	package=$1 architecture=$2
	shift 2
	$isolated make --silent --no-print-directory -C "dist/source-feed/$package" TOPDIR="$root/tools/packages/buildroot" \
		BUILD_DIR="$work/$architecture" ARCH_PACKAGES="$architecture" PACKAGE_DIR="$output/$architecture" "$@" all
}

for architecture; do
	cpu=$(cpu_of "$architecture")
	describe_cpu "$cpu"
	# No flags for one model: the addon suits every CPU of its class.
	for package in pptp-gateway pptp-gateway-node; do build "$package" "$architecture" ARCH="$cpu" TARGET_CC="$triplet-gcc"; done
done
for package in luci-proto-pptpgw luci-app-pptp-gateway; do build "$package" all; done
