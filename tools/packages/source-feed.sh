#!/usr/bin/env bash
# make source-feed: lays out a feed for OpenWrt's scripts/feeds: a folder for each package with its Makefile and an archive of all
# it is built from, so that building fetches nothing. The same sources give the same octets.
# Usage: SOURCE_DATE_EPOCH=… source-feed.sh ARCHITECTURE…     for whose CPUs the runtime is put together: x86_64, aarch64_cortex-a53, …
set -euo pipefail
: "${SOURCE_DATE_EPOCH:?}"
cd "$(dirname "$0")/../.."
. tools/packages/cpus.sh
feed=dist/source-feed
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Usage: archive FOLDER ARCHIVE     the folder is below $work, with the modes of a checkout under any umask
archive() {
	chmod -R u=rwX,go=rX "$work/$1"
	tar --create --format=gnu --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" -C "$work" "$1" | gzip -6n >"$2"
}
# Usage: pin MAKEFILE VARIABLE FILE     the archive's hash goes into the Makefile
pin() { sed -i "s/^$2:=skip\$/$2:=$(sha256sum "$3" | cut -d' ' -f1)/" "$1"; }
value() { sed -n "s/^$2:=//p" "openwrt/$1/Makefile"; }

# The gateway: sources, the bundler, Node's headers
name=pptp-gateway-$(value pptp-gateway PKG_VERSION)
tree=$work/$name
mkdir -p "$tree/vendor/include" "$tree/tools" "$tree/openwrt/pptp-gateway" "$feed/pptp-gateway"
cp -R src package.json tsconfig.json LICENSE README.md CHANGELOG.md "$tree/"
cp tools/bundle.sh "$tree/tools/"
cp -R init.d "$tree/"
cp -R openwrt/pptp-gateway/files "$tree/openwrt/pptp-gateway/"
bundler=$(tools/packages/npm-fetch.sh bundler)
licence=$(tools/packages/npm-fetch.sh bundler-licence)
# shellcheck disable=SC2086
headers=$(tools/packages/debian-fetch.sh x86_64 $header_packages)/root
tar -xzf "$bundler" -O package/bin/esbuild >"$tree/vendor/esbuild"
tar -xzf "$licence" -O package/LICENSE.md >"$tree/vendor/esbuild.LICENSE"
chmod 755 "$tree/vendor/esbuild"
cp "$headers"/usr/include/node/{js_native_api,js_native_api_types,node_api,node_api_types}.h "$headers/usr/include/uv.h" "$tree/vendor/include/"
cp -R "$headers/usr/include/uv" "$tree/vendor/include/"
for package in $header_packages; do cp "$headers/usr/share/doc/$package/copyright" "$tree/vendor/include/LICENSE.$package"; done
rm -f "$feed"/pptp-gateway/*
cp openwrt/pptp-gateway/Makefile openwrt/pptp-gateway/test.sh "$feed/pptp-gateway/"
archive "$name" "$feed/pptp-gateway/$name.tar.gz"
pin "$feed/pptp-gateway/Makefile" PKG_HASH "$feed/pptp-gateway/$name.tar.gz"

# The pages: plain files, copied by luci.mk; and those of docs/ that they link to
for package in luci-proto-pptpgw luci-app-pptp-gateway; do
	rm -rf "${feed:?}/$package"
	cp -R "openwrt/$package" "$feed/$package"
	[ "$package" != luci-app-pptp-gateway ] ||
		node --import tsx tools/docs/help.ts "$feed/$package/htdocs/luci-static/resources/pptp-gateway/help"
	chmod -R u=rwX,go=rX "$feed/$package"
done

# The runtime: put together anew when what says how has changed
runtime=$feed/pptp-gateway-node
mkdir -p "$runtime"
cp openwrt/pptp-gateway-node/Makefile "$runtime/"
for architecture; do
	cpu=$(cpu_of "$architecture")
	name=pptp-gateway-node-$(value pptp-gateway-node PKG_VERSION)
	file=$runtime/$name-$cpu.tar.gz
	for source in tools/packages/{debian.lock,icu-data.txt,libnode.ts,runtime.sh} openwrt/pptp-gateway-node/node; do
		[ "$file" -nt "$source" ] || rm -f "$file"
	done
	if [ ! -f "$file" ]; then
		tools/packages/runtime.sh "$cpu" "$work/$name"
		cp openwrt/pptp-gateway-node/node "$work/$name/"
		archive "$name" "$file"
	fi
	pin "$runtime/Makefile" "HASH_$cpu" "$file"
done
