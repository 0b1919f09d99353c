#!/usr/bin/env bash
# Packs a staged folder, whose CONTROL holds control and scripts, into an .ipk as opkg reads it: a gzipped tar of
# debian-binary, data.tar.gz and control.tar.gz. The same folder gives the same octets: names sorted, owner root, one time.
# Usage: SOURCE_DATE_EPOCH=… ipk.sh STAGED OUTPUT.ipk
set -euo pipefail
: "${SOURCE_DATE_EPOCH:?}"
staged=$1 output=$2
umask 022
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

pack() { tar --create --format=gnu --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" "$@" | libdeflate-gzip -12 -c; }

pack -C "$staged" --exclude=./CONTROL . >"$work/data.tar.gz"
sed -i "s/^Installed-Size: .*/Installed-Size: $(gzip -dc "$work/data.tar.gz" | wc -c)/" "$staged/CONTROL/control"
pack -C "$staged/CONTROL" . >"$work/control.tar.gz"
echo 2.0 >"$work/debian-binary"
mkdir -p "$(dirname "$output")"
pack -C "$work" ./debian-binary ./data.tar.gz ./control.tar.gz >"$output.new"
mv "$output.new" "$output"
