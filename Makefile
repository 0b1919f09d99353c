# make demo    all set-up, then a server and a client with real traffic
# make demo-upgrade  all set-up, then a transfer while its server becomes another program three times
# make test    all set-up, then every test
# make test-unit  all but the real peers; make watch FILES=…: the files named, again at each change
# make coverage  how much of src the tests reach that share a process, file by file; CI holds tools/test/floors.json
# make build   dist/pptp-gateway.js and dist/native.node
# make check   format, lint with the import rules, types, dead code, shell
# make bench   all set-up, then everything side by side; results in bench/results
# make packages  all set-up, then dist/packages: .ipk and .apk for each of ARCHITECTURES, checked
# make feed    dist/feed: repositories that routers install from, signed with what make feed-key makes
# make sbom    dist/sbom.cdx.json: what is in the packages (make packages writes it, too)
# make release-check  is this folder ready to be tagged? builds and tries the packages
# make npm-packages  dist/npm: ubus-js, tun-tap and raw-socket as packages for npm
# make docs    what the pages in docs/ have from the sources: options, causes, commands
# make deb     all set-up, then dist/deb: .deb for each of DEBIAN_ARCHITECTURES, checked
# make deb-try-on  all set-up, then those of dist/deb for amd64 on Debian 12 and 13 with a real systemd, in containers
# make install, make uninstall  below PREFIX (/usr/local), in DESTDIR: for plain Linux with systemd
# make source-feed  dist/source-feed: a feed for OpenWrt's scripts/feeds
# make runtime-lock  tools/packages/debian.lock: the newest packages of Debian 13 for the runtime
# make fuzz    all set-up, then every harness of test/fuzz for FUZZ_SECONDS each (or HARNESSES="gre uci")
# make soak    all set-up, then a besieged gateway for SOAK_SECONDS; ends with 1 where the good session lost anything
# make test-sanitized  all set-up, then the tests of the addon with it under AddressSanitizer and UBSan
# make run     a server from an example configuration, in the foreground
.PHONY: build demo-upgrade check check-lint check-format check-members check-rest demo test test-unit coverage watch test-interop test-sanitized fuzz soak bench run source-feed packages feed feed-key runtime-lock npm-packages docs sbom release-check deb deb-try-on install uninstall format clean \
	setup-build setup-demo setup-test setup-fuzz setup-bench setup-roots setup-packages

SOURCES := $(shell find src -name '*.ts')
NATIVE := $(wildcard src/native/*.c src/native/*.h src/native/*.sh)
BIN := node_modules/.bin
SHELL_FILES := init.d/pptp-gateway openwrt/pptp-gateway/test.sh test/native/sanitized.sh $(shell grep -rlE --exclude='*.mk' '^\#!/bin/sh' openwrt/*/files tools examples)

build: setup-build dist/native.node dist/pptp-gateway.js

setup-build setup-demo setup-test setup-fuzz setup-bench setup-roots setup-packages:
	@tools/setup.sh $(subst setup-,,$@)

dist/native.node: $(NATIVE)
	src/native/build.sh $@

dist/pptp-gateway.js: $(SOURCES) package.json tools/bundle.sh
	tools/bundle.sh $@

# Committed, so that the sources run without a build; a test holds it to mppe.as.
src/data-path/mppe/wasm/binary.ts: src/data-path/mppe/wasm/mppe.as tools/build-wasm.ts
	node --import tsx tools/build-wasm.ts

# All of them at a time: eslint, the longest, takes as long as the others together.
CHECKS := check-lint check-format check-members check-rest
check: setup-build
	@$(MAKE) --no-print-directory --output-sync=target --keep-going -j$$(nproc) $(CHECKS)

check-lint:
	$(BIN)/eslint --cache --cache-location node_modules/.cache/eslint .

check-format:
	$(BIN)/prettier --check --log-level=warn --cache --cache-location=node_modules/.cache/prettier.json .

check-members:
	node --import tsx tools/unused-members.ts

check-rest:
	$(BIN)/depcruise src
	node_modules/typescript-7/bin/tsc -p .
	$(BIN)/knip
	tools/c-circles.sh
	shellcheck $(SHELL_FILES)

format:
	$(BIN)/prettier --write --log-level=warn .

demo: setup-demo build
	@node --import tsx tools/demo.ts

demo-upgrade: setup-demo build
	@node --import tsx tools/demo-upgrade.ts

bench: setup-bench build
	@bench/reference/build.sh
	@node --import tsx bench/main.ts

run: build
	@node --import tsx tools/run.ts

# OpenWrt's names. Any other architecture of the same three classes of CPU will do: aarch64_generic, arm_cortex-a9_vfpv3-d16, …
ARCHITECTURES ?= x86_64 aarch64_cortex-a53 arm_cortex-a7_neon-vfpv4
# What is packed has the time of the commit.
export SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct)

source-feed: setup-packages
	tools/packages/source-feed.sh $(ARCHITECTURES)

packages: source-feed
	tools/packages/build.sh $(ARCHITECTURES)
	node --import tsx tools/packages/verify.ts
	node --import tsx tools/packages/sbom.ts

# Of the packages in dist/packages
sbom: setup-build
	node --import tsx tools/packages/sbom.ts

DEBIAN_ARCHITECTURES ?= amd64 arm64 armhf
# The runtimes of these are in the source feed.
deb: ARCHITECTURES := $(patsubst armhf,arm_cortex-a7_neon-vfpv4,$(patsubst arm64,aarch64_cortex-a53,$(patsubst amd64,x86_64,$(DEBIAN_ARCHITECTURES))))
deb: source-feed dist/pptp-gateway.js
	tools/deb/build.sh $(DEBIAN_ARCHITECTURES)
	node --import tsx tools/deb/verify.ts

deb-try-on: setup-roots build
	node --import tsx tools/deb/try-on.ts

# Of what is in /etc/pptp-gateway nothing is replaced.
DESTDIR ?=
PREFIX ?= /usr/local
install: build
	DESTDIR=$(DESTDIR) PREFIX=$(PREFIX) tools/deb/install.sh install

uninstall:
	DESTDIR=$(DESTDIR) PREFIX=$(PREFIX) tools/deb/install.sh uninstall

# Outside the repository: whoever has it speaks for the feed.
FEED_KEY ?= $(HOME)/.config/pptp-gateway/feed-key.pem

feed: packages
	node --import tsx tools/packages/feed.ts $(FEED_KEY)

# Debian's security updates of the runtime
runtime-lock: setup-packages
	tools/packages/runtime-lock.sh

release-check: setup-packages
	node --import tsx tools/release-check.ts
	$(MAKE) packages
	node --import tsx tools/release-check.ts --packages

docs: setup-build
	node --import tsx tools/docs/main.ts

npm-packages: setup-build
	node --import tsx tools/npm/pack.ts

feed-key: setup-build
	node --import tsx tools/packages/feed-keys.ts $(FEED_KEY)

TESTS = $(shell find test -name '*.test.ts' -not -path 'test/interop/*' | sort)
INTEROP = $(shell find test/interop -name '*.test.ts' | sort)

# A file that exceeds its time (ms; ten times what a slow machine needs) hangs: that is a failure, with its name. So it is in tools/test/run.ts.
RUN_TESTS = node --import tsx --test --test-concurrency=1 --test-reporter=spec
test: setup-test build
	node --import tsx tools/test/run.ts --coverage $(TESTS)
	$(RUN_TESTS) --test-timeout=2400000 $(INTEROP)

test-unit: setup-build build
	node --import tsx tools/test/run.ts $(TESTS)

coverage: setup-build build
	node --import tsx tools/test/run.ts --coverage --show $(TESTS)

watch: setup-build build
	node --import tsx --watch --test $(FILES)

test-interop: setup-test build
	$(RUN_TESTS) --test-timeout=2400000 $(INTEROP)

fuzz: setup-fuzz build
	@node --import tsx test/fuzz/main.ts $(HARNESSES)

soak: setup-test build
	@node --import tsx test/soak/main.ts

# What runs the addon: tests and the programs that they start.
SANITIZED = $(shell find test/native test/tun-tap test/raw-socket -name '*.test.ts' | sort) test/data-path/mppe/ciphers.test.ts test/daemon/gateway.test.ts
test-sanitized: setup-test build
	test/native/sanitized.sh $(RUN_TESTS) --test-timeout=600000 $(SANITIZED)

clean:
	rm -rf dist node_modules/.cache
