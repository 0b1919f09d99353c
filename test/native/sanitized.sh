#!/bin/sh
# Runs a command with the addon built under AddressSanitizer and UBSan, in dist/ as ever: sanitized.sh COMMAND...
# A report of theirs ends the program that made it, and so the test. The addon is built anew without them at the end.
set -eu
cd "$(dirname -- "$0")/../.."

trap 'src/native/build.sh' EXIT
CFLAGS='-g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer' \
	LDFLAGS='-lasan -lubsan' src/native/build.sh

# Node's own memory is not ours to judge (leaks), nor is what other programs do to strings (iproute2 copies one onto itself).
asan=$(gcc -print-file-name=libasan.so) ubsan=$(gcc -print-file-name=libubsan.so)
export LD_PRELOAD="$asan $ubsan" PPTP_GATEWAY_SANITIZED=1
export ASAN_OPTIONS='detect_leaks=0:replace_str=0:intercept_strlen=0:intercept_strchr=0:intercept_strndup=0:handle_segv=0:abort_on_error=1' UBSAN_OPTIONS='print_stacktrace=1:abort_on_error=1'
status=0
"$@" || status=$?
unset LD_PRELOAD
exit "$status"
