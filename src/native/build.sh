#!/bin/sh
# Builds the native addon: src/native/*.c -> dist/native.node (or the path given as the first argument).
# CC: C compiler, also a cross compiler. NODE_INCLUDE: folder of node_api.h and uv.h. CFLAGS, LDFLAGS: added at the end.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
output=${1:-$here/../../dist/native.node}
CC=${CC:-gcc}
if [ -z "${NODE_INCLUDE:-}" ]; then
	node=$(command -v node) || { echo "build.sh: node is not in PATH; set NODE_INCLUDE" >&2; exit 1; }
	NODE_INCLUDE=$(dirname -- "$(readlink -f -- "$node")")/../include/node
fi
if [ ! -f "$NODE_INCLUDE/node_api.h" ]; then
	echo "build.sh: no node_api.h in $NODE_INCLUDE; set NODE_INCLUDE to the folder of Node's headers" >&2
	exit 1
fi

mkdir -p -- "$(dirname -- "$output")"
# No C library: the addon must load beside glibc as well as musl. -z now: a missing symbol fails the load, not a packet.
# A temporary name: a running program keeps the file it has mapped.
# shellcheck disable=SC2086
$CC -std=gnu11 -O2 -Wall -Wextra -Werror -fPIC -shared -ffreestanding -nostdlib -static-libgcc \
	-fvisibility=hidden -fno-stack-protector -fno-strict-aliasing -fomit-frame-pointer -U_FORTIFY_SOURCE \
	-fno-tree-loop-distribute-patterns -fno-asynchronous-unwind-tables \
	-D_GNU_SOURCE -DNAPI_VERSION=8 -isystem "$NODE_INCLUDE" \
	${CFLAGS:-} "$here"/*.c -o "$output.new" \
	-Wl,-z,relro,-z,now,-z,noexecstack -s ${LDFLAGS:-} -lgcc
mv -f -- "$output.new" "$output"
