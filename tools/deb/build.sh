#!/usr/bin/env bash
# make deb: dist/deb, the packages pptp-gateway and pptp-gateway-node for Debian's architectures. The same sources give the same
# octets: names sorted, owner root, one time.
# Usage: SOURCE_DATE_EPOCH=… build.sh amd64|arm64|armhf…     after make source-feed, which has the runtime
set -euo pipefail
: "${SOURCE_DATE_EPOCH:?}"
cd "$(dirname "$0")/../.."
. tools/packages/cpus.sh
output=dist/deb
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
rm -rf "$output"
mkdir -p "$output"
umask 022

# Usage: pack CONTROL VERSION ARCHITECTURE TREE     the tree has a folder DEBIAN with what else dpkg wants
pack() {
	local control=$1 version=$2 architecture=$3 tree=$4 name
	name=$(sed -n 's/^Package: //p' "tools/deb/$control")
	mkdir -p "$tree/DEBIAN"
	(cd "$tree" && find . -type f -not -path './DEBIAN/*' -printf '%P\0' | LC_ALL=C sort -z | xargs -0 md5sum) >"$tree/DEBIAN/md5sums"
	size=$(find "$tree" -type f -not -path '*/DEBIAN/*' -printf '%s\n' | awk '{ sum += int(($1 + 1023) / 1024) } END { print sum }')
	sed "s/@VERSION@/$version/; s/@ARCHITECTURE@/$architecture/; s/@SIZE@/$size/; s/@MAINTAINER@/$maintainer/" "tools/deb/$control" >"$tree/DEBIAN/control"
	find "$tree" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
	dpkg-deb --root-owner-group --threads-max=1 -Zxz --build "$tree" "$output/${name}_${version}_$architecture.deb" >/dev/null
}
# A name without an address: there is none that answers for all who build these packages.
maintainer=$(node -p 'require("./package.json").author')
value() { sed -n "s/^$2:=//p" "openwrt/$1/Makefile"; }

gateway() {
	local architecture=$1 triplet=$2 tree=$work/pptp-gateway-$1 doc
	doc=$tree/usr/share/doc/pptp-gateway
	CC=$triplet-gcc src/native/build.sh "$work/$architecture.node"
	DESTDIR=$tree PREFIX=/usr ADDON=$work/$architecture.node tools/deb/install.sh install
	gzip -9n "$tree/usr/share/man/man8/pptp-gateway.8"
	install -m 644 CHANGELOG.md "$doc/changelog"
	gzip -9n "$doc/changelog"
	install -m 644 LICENSE "$doc/copyright"
	install -D -m 755 -t "$tree/DEBIAN" tools/deb/postinst tools/deb/prerm tools/deb/postrm
	printf '/etc/%s\n' pptp-gateway/{network,pptp,pptp_radius,pptp_users} fail2ban/filter.d/pptp-gateway.conf >"$tree/DEBIAN/conffiles"
	pack control "$(node -p 'require("./package.json").version')-1" "$architecture" "$tree"
}

runtime() {
	local architecture=$1 cpu=$2 version tree=$work/pptp-gateway-node-$1
	version=$(value pptp-gateway-node PKG_VERSION)
	mkdir -p "$tree/usr/lib/pptp-gateway-node" "$tree/usr/share/doc/pptp-gateway-node"
	tar -xzf "dist/source-feed/pptp-gateway-node/pptp-gateway-node-$version-$cpu.tar.gz" -C "$tree/usr/lib/pptp-gateway-node" --strip-components=1
	ln -s ../../../lib/pptp-gateway-node/licenses "$tree/usr/share/doc/pptp-gateway-node/licenses"
	pack control-node "$version-$(value pptp-gateway-node PKG_RELEASE)" "$architecture" "$tree"
}

packing=()
for architecture; do
	case $architecture in
		amd64) cpu=x86_64 ;;
		arm64) cpu=aarch64 ;;
		armhf) cpu=arm ;;
		*) echo "Node.js does not run on Debian's $architecture" >&2; exit 1 ;;
	esac
	describe_cpu "$cpu"
	gateway "$architecture" "$triplet"
	runtime "$architecture" "$cpu" & # each xz has one thread
	packing+=("$!")
done
for pid in "${packing[@]}"; do wait "$pid"; done
du -h "$output"/*.deb
