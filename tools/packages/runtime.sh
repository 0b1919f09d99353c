#!/usr/bin/env bash
# Puts together the Node runtime of one CPU from Debian 13's packages: Node and the libraries that it needs, stripped, with the data
# of ICU that English needs. It names its loader and its libraries by absolute path, so that nothing of the router's libc is used and
# process.execPath is Node itself.
# Usage: runtime.sh x86_64|aarch64|arm OUTPUT
set -euo pipefail
cd "$(dirname "$0")/../.."
cpu=$1 output=$2
home=/usr/lib/pptp-gateway-node
. tools/packages/cpus.sh
describe_cpu "$cpu"
fail() { echo "runtime of $cpu: $*" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# gcc-14-base: the licence of GCC's libraries
# shellcheck disable=SC2046
apt=$(tools/packages/debian-fetch.sh "$cpu" $(runtime_packages "$cpu"))
root=$apt/root

rm -rf "$output"
mkdir -p "$output/bin" "$output/lib" "$output/licenses"

# The program: Debian's is this, too, but finds loader and libraries elsewhere. (patchelf 0.14 damages the one of aarch64.)
cp -L "$(find "$root" -name 'libnode.so.*' -print -quit)" "$work/"
"$triplet-gcc" -O2 -x c -o "$output/bin/node" - -x none "$work"/libnode.so.* -Wl,--allow-shlib-undefined \
	-Wl,--dynamic-linker="$home/lib/$loader" -Wl,--disable-new-dtags -Wl,-rpath="$home/lib" <<END
int start(int argc, char **argv) __asm__("_ZN4node5StartEiPPc"); /* node::Start */
int main(int argc, char **argv) { return start(argc, argv); }
END

# What it needs, and what that needs
needed() { "$triplet-readelf" -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'; }
place() {
	[ ! -f "$output/lib/$1" ] || return 0
	found=$(find "$root" -name "$1" -print -quit)
	[ -n "$found" ] || fail "no package of debian-fetch has $1"
	cp -L "$found" "$output/lib/$1"
	for library in $(needed "$output/lib/$1"); do place "$library"; done
}
for library in $loader $(needed "$output/bin/node"); do place "$library"; done

# ICU's data, 32 MB: the library is made anew with what icu-data.txt names.
icu=$(cd "$output/lib" && echo libicudata.so.*)
version=${icu##*.}
symbol=icudt${version}_dat
read -r address size <<END
$("$triplet-readelf" -sW --dyn-syms "$output/lib/$icu" | awk -v symbol="$symbol" '$8 == symbol { print $2, $3 }')
END
[ -n "$size" ] || fail "$icu has no $symbol"
data=$work/icudt${version}l.dat # icupkg goes by the name
tail -c "+$((0x$address + 1))" "$output/lib/$icu" | head -c "$((size))" >"$data" || [ -s "$data" ]
icupkg -tl -l "$data" | grep -vxEf tools/packages/icu-data.txt >"$work/remove.txt"
icupkg -tl -r "$work/remove.txt" "$data"
# C, not assembler: it has the marks of the processor's calling convention, which the loader looks at.
"$triplet-gcc" -shared -fPIC -nostdlib -Wl,-soname,"$icu" -Wl,--build-id=none -x c -o "$output/lib/$icu" - <<END
__asm__(".section .rodata\n" ".balign 16\n" ".globl $symbol\n" ".type $symbol, %object\n" "$symbol: .incbin \"$data\"\n" ".size $symbol, . - $symbol\n");
END

for file in "$output/bin/node" "$output"/lib/*; do "$triplet-strip" --strip-all --remove-section=.comment --remove-section=.gnu_debuglink "$file"; done
node --import tsx tools/packages/libnode.ts "$output"/lib/libnode.so.* "$home"
cp "$root/usr/share/nodejs/cjs-module-lexer/lexer.js" "$output/lexer.js"
cp "$root/usr/share/nodejs/cjs-module-lexer/dist/lexer.js" "$output/lexer-wasm.js"
# Read at every start, and asked for by fetch, the REPL and the test runner only
for part in acorn acorn-walk minimatch undici; do echo "throw new Error('this Node.js runtime comes without $part');" >"$output/$part.js"; done

for package in nodejs libc6 libicu76 libssl3t64 libuv1t64 libnghttp2-14 libcares2 libbrotli1 zlib1g libzstd1 gcc-14-base node-cjs-module-lexer; do
	cp -L "$root/usr/share/doc/$package/copyright" "$output/licenses/$package"
done
cp -L /usr/share/common-licenses/LGPL-2.1 /usr/share/common-licenses/GPL-2 /usr/share/common-licenses/GPL-3 /usr/share/common-licenses/Apache-2.0 "$output/licenses/"
{
	echo 'These packages of Debian, whose sources Debian offers under the source package'\''s name and version.'
	echo 'Changed: stripped; ICU'\''s data reduced; where libnode finds its JavaScript; libnode'\''s unwind tables cut out.'
	for deb in "$apt"/debs/*.deb; do
		dpkg-deb --show --showformat='${Package} ${Version} (source ${source:Package} ${source:Version})' "$deb"
		echo " SHA-256 $(sha256sum "$deb" | cut -d' ' -f1)"
	done
} >"$output/licenses/VERSIONS"
find "$output" -type f -exec chmod 644 {} +
chmod 755 "$output/bin/node" "$output/lib/$loader"
