#!/usr/bin/env bash
# Fetches packages of Debian 13 for one CPU, from the mirror that this machine's own apt uses, in the versions of debian.lock, and
# unpacks them into a folder, which it prints; what was fetched, with its SHA-256, goes to standard error. A version that the mirror has no more was replaced by a newer one, for its security
# mostly: that one is taken, and said. Debian's signature is checked either way.
# Usage: debian-fetch.sh CPU PACKAGE…     `make runtime-lock` writes debian.lock anew
set -euo pipefail
cd "$(dirname "$0")/../.."
. tools/packages/cpus.sh
cpu=$1
shift
describe_cpu "$cpu"
lock=tools/packages/debian.lock
apt=$PWD/node_modules/.cache/packages/trixie-$debian
fail() { echo "debian-fetch: $*" >&2; exit 1; }

# Usage: mirror LABEL     where this machine's apt finds it
# shellcheck disable=SC2016
mirror() { env -u APT_CONFIG apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' "Label: $1" | sed -n 1p; }
main=$(mirror Debian) security=$(mirror Debian-Security)
[ -n "$main" ] || fail 'apt has no mirror of Debian'
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# An apt of its own: this machine need not know the architecture, or the release.
mkdir -p "$apt/lists/partial" "$apt/archives/partial"
: >"$apt/status"
{
	echo "deb [signed-by=$keyring] $main trixie main"
	[ -z "$security" ] || echo "deb [signed-by=$keyring] $security trixie-security main"
} >"$apt/sources.list"
cat >"$apt/apt.conf" <<-END
	APT { Architecture "$debian"; Architectures { "$debian"; }; Sandbox::User "root"; Default-Release ""; };
	Dir { State "$apt"; State::status "$apt/status"; Cache "$apt"; };
	Dir::Etc { sourcelist "$apt/sources.list"; sourceparts "/dev/null"; preferencesparts "/dev/null"; };
	Acquire { Languages "none"; Retries "3"; };
END
export APT_CONFIG="$apt/apt.conf"
if ! apt-get update -qq --error-on=any && sleep 5 && ! apt-get update -qq --error-on=any; then
	echo "debian-fetch: WARNING: not every package list of $debian could be read; packages may lack the newest security fixes" >&2
fi

rm -rf "$apt/root" "$apt/debs"
mkdir -p "$apt/debs" "$apt/root"
cd "$apt/debs"
for package; do
	read -r version hash <<-END
		$(sed -n "s/^$cpu $package //p" "$OLDPWD/$lock")
	END
	if [ -z "$version" ] || ! apt-get download -qq "$package=$version" 2>/dev/null; then
		apt-get download -qq "$package"
		deb=$(echo "${package}"_*.deb)
		echo "debian-fetch: $cpu: $package is $(dpkg-deb --field "$deb" Version), not ${version:-locked} as in debian.lock (make runtime-lock)" >&2
	else
		echo "$hash  $(echo "${package}"_*.deb)" | sha256sum --check --quiet || fail "$package $version is not what it was"
	fi
	echo "debian-fetch: $(sha256sum "${package}"_*.deb)" >&2
	dpkg-deb -x "${package}"_*.deb "$apt/root"
done
echo "$apt"
