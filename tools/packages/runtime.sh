#!/usr/bin/env bash
# Puts together the Node runtime of one CPU: npm's binary, and the C and C++ libraries of Debian that it needs, all stripped.
# The binary names its loader and its libraries by absolute path, so that nothing of the router's libc is used and
# process.execPath is Node itself.
# Usage: runtime.sh x86_64|aarch64|arm OUTPUT
set -euo pipefail
cd "$(dirname "$0")/../.."
cpu=$1 output=$2
home=/usr/lib/pptp-gateway-node
cache=$PWD/node_modules/.cache/packages

. tools/packages/cpus.sh
describe_cpu "$cpu"
fail() { echo "runtime of $cpu: $*" >&2; exit 1; }

node=$(tools/packages/npm-fetch.sh "$cpu")

# The libraries, from Debian: an apt of its own, so that this machine need not know the architecture.
apt=$cache/$debian
mkdir -p "$apt/lists/partial" "$apt/archives/partial"
: >"$apt/status"
cat >"$apt/apt.conf" <<-EOF
	APT { Architecture "$debian"; Architectures { "$debian"; }; Sandbox::User "root"; };
	Dir { State "$apt"; State::status "$apt/status"; Cache "$apt"; };
	Acquire { Languages "none"; Retries "3"; };
EOF
export APT_CONFIG="$apt/apt.conf"
if ! apt-get update -qq --error-on=any && sleep 5 && ! apt-get update -qq --error-on=any; then
	echo "runtime of $cpu: WARNING: not every package list could be read; the libraries may lack the newest security fixes" >&2
fi
# gcc-NN-base: the licence of the three before it
packages="libc6 libstdc++6 libgcc-s1 libatomic1 $(apt-cache depends libgcc-s1 | grep -o 'gcc-.*-base')"
rm -rf "$apt/root" "$apt"/*.deb
# shellcheck disable=SC2086
(cd "$apt" && apt-get download -qq $packages)
for deb in "$apt"/*.deb; do dpkg-deb -x "$deb" "$apt/root"; done

rm -rf "$output"
mkdir -p "$output/bin" "$output/lib" "$output/licenses"
tar -xzf "$node" -C "$output/bin" --strip-components=2 package/bin/node

# What the binary needs, and what that needs
needed() { "$triplet-readelf" -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'; }
place() {
	[ ! -f "$output/lib/$1" ] || return 0
	found=$(find "$apt/root" -name "$1" -print -quit)
	[ -n "$found" ] || fail "no Debian package of ours has $1"
	cp -L "$found" "$output/lib/$1"
	for library in $(needed "$output/lib/$1"); do place "$library"; done
}
for library in $loader $(needed "$output/bin/node"); do place "$library"; done

for file in "$output/bin/node" "$output"/lib/*; do "$triplet-strip" --strip-all --remove-section=.comment "$file"; done
patchelf --set-interpreter "$home/lib/$loader" --force-rpath --set-rpath "$home/lib" "$output/bin/node"

tar -xzf "$node" -O package/LICENSE >"$output/licenses/node"
cp "$apt/root/usr/share/doc/libc6/copyright" "$output/licenses/glibc"
cp "$apt"/root/usr/share/doc/gcc-*-base/copyright "$output/licenses/gcc-libraries"
cp -L /usr/share/common-licenses/LGPL-2.1 /usr/share/common-licenses/GPL-3 "$output/licenses/"
{
	echo "Node.js: npm package $(tar -xzOf "$node" package/package.json | node -p 'const { name, version } = JSON.parse(require("fs").readFileSync(0)); name + " " + version')"
	echo 'Libraries: these packages of Debian, whose sources Debian offers under the source package'\''s name and version'
	for deb in "$apt"/*.deb; do dpkg-deb --show --showformat='${Package} ${Version} (source ${source:Package} ${source:Version})\n' "$deb"; done
} >"$output/licenses/VERSIONS"
find "$output" -type f -exec chmod 644 {} +
chmod 755 "$output/bin/node" "$output/lib/$loader"
