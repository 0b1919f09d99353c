# Read by the scripts beside it: what a CPU class is called by OpenWrt, Debian and its compiler. A class has the same packages.
# shellcheck shell=sh disable=SC2034

# Usage: cpu_of ARCHITECTURE     OpenWrt's name of an architecture -> its CPU, as OpenWrt's ARCH has it
cpu_of() {
	case $1 in
		x86_64) echo x86_64 ;;
		aarch64_*) echo aarch64 ;;
		arm_cortex-*_vfp* | arm_cortex-*_neon*) echo arm ;; # ARMv7 with a floating-point unit
		*) echo "Node.js does not run on the architecture $1" >&2; return 1 ;;
	esac
}

# Usage: describe_cpu CPU     sets debian, triplet, loader
describe_cpu() {
	case $1 in
		x86_64) debian=amd64 triplet=x86_64-linux-gnu loader=ld-linux-x86-64.so.2 ;;
		aarch64) debian=arm64 triplet=aarch64-linux-gnu loader=ld-linux-aarch64.so.1 ;;
		arm) debian=armhf triplet=arm-linux-gnueabihf loader=ld-linux-armhf.so.3 ;;
		*) echo "Node.js does not run on the CPU $1" >&2; return 1 ;;
	esac
}

# Usage: runtime_packages CPU     Debian 13's, which Node's runtime is made of
runtime_packages() {
	echo nodejs libnode115 libicu76 libssl3t64 libzstd1 libuv1t64 libnghttp2-14 libcares2 libbrotli1 zlib1g libc6 libstdc++6 libgcc-s1 gcc-14-base node-cjs-module-lexer
	[ "$1" != arm ] || echo libatomic1
}
# Node's and libuv's headers, which the addon is built with
header_packages='libnode-dev libuv1-dev'
