#!/bin/sh
# Makes FOLDER, a root file system with ppp 2.5, pptpd and pptp-linux for the guests of the interop tests, and FreeRADIUS 3.2.7: Debian 13's
# packages, unpacked and not installed, because they need newer libraries than Debian 12 has. They come from the mirror that this machine's own apt uses.
# Usage: tools/debian13-root.sh FOLDER
set -eu
root=$1
packages='dash ppp pptpd pptp-linux freeradius'

fail() { echo "setup: $*" >&2; exit 1; }

keyring=/usr/share/keyrings/debian-archive-keyring.gpg
# shellcheck disable=SC2016
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Label: Debian' 'Architecture: '"$(dpkg --print-architecture)" | head -n 1)
[ -n "$mirror" ] || fail "apt has no mirror of Debian, from which Debian 13's packages could come."
echo "setup: unpacking ppp 2.5 and FreeRADIUS from Debian 13 into $root"

# A list of packages and a cache of its own: this machine's apt knows nothing of it.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work" # apt fetches as another user
mkdir -p "$work/lists/partial" "$work/archives/partial" "$work/root"
: >"$work/status"
echo "deb [signed-by=$keyring] $mirror trixie main" >"$work/sources"
cat >"$work/conf" <<end
Dir::Etc::sourcelist "$work/sources";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::State::lists "$work/lists";
Dir::State::status "$work/status";
Dir::Cache "$work";
APT::Default-Release "";
Acquire::Languages "none";
end
export APT_CONFIG="$work/conf"
apt-get update -qq
# shellcheck disable=SC2086
apt-get install -qq --download-only --no-install-recommends $packages >/dev/null

cd "$work/root"
mkdir -p usr/bin usr/sbin usr/lib usr/lib64 dev proc sys run tmp etc/ppp var/log
ln -s usr/bin bin
ln -s usr/sbin sbin
ln -s usr/lib lib
ln -s usr/lib64 lib64
ln -s ../run var/run
for package in "$work"/archives/*.deb; do dpkg-deb -x "$package" .; done
[ -e usr/bin/sh ] || ln -s dash usr/bin/sh
mknod -m 666 dev/null c 1 3
mknod -m 666 dev/urandom c 1 9
chroot . /bin/dash -c : || fail "what was unpacked into $root does not run here."
mkdir -p "$(dirname "$root")"
rm -rf "$root"
mv "$work/root" "$root"
