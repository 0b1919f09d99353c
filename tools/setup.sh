#!/bin/sh
# Installs what a target of the Makefile needs and this machine lacks: Debian packages, then npm's development packages.
# Usage: tools/setup.sh build|demo|test|fuzz|bench|roots|packages     Prints every package it installs; with nothing to install it is silent.
set -eu
cd "$(dirname "$0")/.."

build='gcc libc6-dev linux-libc-dev make shellcheck'
demo="$build iproute2 iperf3 iputils-ping"
test="$demo mount user-mode-linux ppp pptpd pptp-linux nftables procps kmod util-linux netcat-openbsd openssl binutils busybox-static libdeflate-tools dhcpcd-base ndisc6 radvd kea-dhcp6-server network-manager network-manager-pptp samba avahi-daemon freeradius freeradius-utils sqlite3 fail2ban mosquitto mosquitto-clients prometheus"
fuzz="$build clang libclang-rt-14-dev"
bench="$demo openvpn openssl wireguard-go wireguard-tools"
packages="$build util-linux binutils icu-devtools libdeflate-tools openssl qemu-user-static iproute2 gcc-aarch64-linux-gnu libc6-dev-arm64-cross gcc-arm-linux-gnueabihf libc6-dev-armhf-cross"
roots="$demo mmdebstrap systemd-container util-linux"
case "${1:-}" in
  build) wanted=$build ;;
  demo) wanted=$demo ;;
  test) wanted=$test ;;
  fuzz) wanted=$fuzz ;;
  bench) wanted=$bench ;;
  roots) wanted=$roots ;;
  packages)
    wanted=$packages
    [ "$(uname -m)" = x86_64 ] || { echo "setup: packages are built on x86_64, like OpenWrt's SDK; this is $(uname -m)" >&2; exit 1; }
    ;;
  *) echo 'usage: tools/setup.sh build|demo|test|fuzz|bench|roots|packages' >&2; exit 64 ;;
esac

fail() { echo "setup: $*" >&2; exit 1; }

command -v node >/dev/null || fail 'Node.js 20 or newer is missing: install it first (this script does not choose where Node comes from).'
major=$(node -p 'process.versions.node.split(".")[0]')
[ "$major" -ge 20 ] || fail "Node.js 20 or newer is needed; $(node --version) is installed."
command -v npm >/dev/null || fail 'npm is missing: it comes with Node.js.'

include=${NODE_INCLUDE:-$(node -p 'require("path").resolve(process.execPath, "../../include/node")')}
[ -f "$include/node_api.h" ] || wanted="$wanted libnode-dev" # headers, where Node came without its own

if command -v dpkg-query >/dev/null; then
  missing=
  for package in $wanted; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing="$missing $package"
  done
  if [ -n "$missing" ]; then
    . /etc/os-release
    [ "${ID:-}" = debian ] || fail "these Debian packages (or your system's own) are missing:$missing"
    [ "$(id -u)" = 0 ] || fail "these Debian packages are missing and installing them needs root:$missing"
    echo "setup: installing Debian packages:$missing"
    # Packages of daemons (pptpd) must not start them: TCP port 1723 is ours to test with.
    if [ ! -e /usr/sbin/policy-rc.d ]; then
      trap 'rm -f /usr/sbin/policy-rc.d' EXIT
      printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
      chmod 755 /usr/sbin/policy-rc.d
    fi
    apt-get update -qq
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
  fi
else
  for tool in gcc make; do command -v "$tool" >/dev/null || fail "$tool is missing, and this is not Debian: install it by hand."; done
fi

if [ ! -f node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  echo 'setup: installing npm packages (npm ci)'
  npm ci --no-audit --no-fund --loglevel=error
  touch node_modules/.package-lock.json
fi

debian13=node_modules/.cache/debian-13
if [ "$1" = test ] && [ ! -x $debian13/usr/sbin/freeradius ]; then tools/debian13-root.sh "$PWD/$debian13"; fi
xstate=node_modules/.cache/uml-xstate.so
if [ "$1" = test ] && { [ ! -e $xstate ] || [ test/interop/guest/uml-xstate.c -nt $xstate ]; }; then
  mkdir -p "$(dirname $xstate)"
  gcc -O2 -Wall -Wextra -Werror -shared -fPIC -o $xstate test/interop/guest/uml-xstate.c -ldl
fi
