#!/bin/sh
# Run by the feed's CI in a root of the package's own architecture: test.sh PACKAGE VERSION

case "$1" in
pptp-gateway) pptp-gateway version | grep -F "pptp-gateway $2" ;;
esac
