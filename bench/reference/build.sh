#!/bin/sh
# Builds the C programs of the benchmark into dist/bench (or the folder given).
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
native=$here/../../src/native
output=${1:-$here/../../dist/bench}
mkdir -p -- "$output"
flags='-std=gnu11 -O3 -funroll-loops -Wall -Wextra -Werror'
# shellcheck disable=SC2086
${CC:-gcc} $flags -fno-strict-aliasing "$here/forwarder.c" "$here/mppe.c" "$here/offload.c" "$native/mppe.c" "$native/sha1.c" "$native/cpu.c" -o "$output/forwarder"
# shellcheck disable=SC2086
${CC:-gcc} $flags "$here/probe.c" -o "$output/probe"
