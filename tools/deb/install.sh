#!/bin/sh
# make install, make deb and make uninstall: program, addon, manual page, completion, systemd's unit and the configuration. What
# stands in /etc/pptp-gateway already is left as it is.
# Usage: [DESTDIR=FOLDER] [PREFIX=/usr/local] [ADDON=dist/native.node] SOURCE_DATE_EPOCH=… install.sh install|uninstall
set -eu
cd "$(dirname -- "$0")/../.."
umask 022
to=${DESTDIR:-}
prefix=${PREFIX:-/usr/local}
lib=$to$prefix/lib/pptp-gateway
doc=$to$prefix/share/doc/pptp-gateway
unit=$to$prefix/lib/systemd/system/pptp-gateway.service
program=$to$prefix/bin/pptp-gateway
manual=$to$prefix/share/man/man8/pptp-gateway.8
bash=$to$prefix/share/bash-completion/completions/pptp-gateway
zsh=$to$prefix/share/zsh/site-functions/_pptp-gateway
[ "$prefix" != /usr ] || zsh=$to$prefix/share/zsh/vendor-completions/_pptp-gateway # as Debian has it
etc=$to/etc/pptp-gateway
filter=$to/etc/fail2ban/filter.d/pptp-gateway.conf

# Usage: put MODE SOURCE TARGET
put() { install -D -m "$1" "$2" "$3"; }
# Usage: filled MODE SOURCE TARGET     with the prefix put in
filled() {
	install -D -m "$1" /dev/null "$3"
	sed "s|@PREFIX@|$prefix|g" "$2" >"$3"
}

case ${1:-} in
install)
	made=$(mktemp -d)
	trap 'rm -rf "$made"' EXIT
	node --import tsx tools/command-line.ts "$made"
	put 644 dist/pptp-gateway.js "$lib/pptp-gateway.js"
	put 644 "${ADDON:-dist/native.node}" "$lib/native.node"
	put 644 dist/package.json "$lib/package.json"
	filled 755 tools/deb/launcher "$program"
	filled 644 systemd/pptp-gateway.service "$unit"
	put 644 "$made/pptp-gateway.8" "$manual"
	put 644 "$made/pptp-gateway.bash" "$bash"
	put 644 "$made/_pptp-gateway" "$zsh"
	put 644 fail2ban/pptp-gateway.conf "$filter"
	for file in network pptp pptp_radius pptp_users; do
		put 644 "examples/$file" "$doc/examples/$file"
		[ -e "$etc/$file" ] || put 600 "examples/linux/$file" "$etc/$file"
	done
	for hook in mqtt webhook; do put 755 "examples/hooks/$hook" "$doc/examples/hooks/$hook"; done
	;;
uninstall)
	rm -rf "$lib" "$doc"
	rm -f "$program" "$unit" "$manual" "$bash" "$zsh" "$filter"
	[ ! -d "$etc" ] || echo "$etc stays: remove it yourself when nothing in it is wanted"
	;;
*)
	echo 'usage: install.sh install|uninstall' >&2
	exit 64
	;;
esac
