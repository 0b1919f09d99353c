# A stand-in for OpenWrt's build system, so that `make packages` builds from the very Makefiles of the feed, without an SDK:
# the variables and rules that these Makefiles use, and no more. What it makes is .ipk (OpenWrt 24.10) and .apk (25.12).
# Given by tools/packages/build.sh: TOPDIR, ARCH, ARCH_PACKAGES, TARGET_CC, BUILD_DIR, PACKAGE_DIR, SOURCE_DATE_EPOCH.
SHELL := /bin/sh -e
INCLUDE_DIR := $(TOPDIR)/include
INSTALL_DIR := install -d -m 0755
INSTALL_BIN := install -m 0755
INSTALL_DATA := install -m 0644
INSTALL_CONF := install -m 0600
CP := cp -fpR
