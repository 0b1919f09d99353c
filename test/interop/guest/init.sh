#!/bin/sh
# PID 1 of a user-mode Linux guest: init.sh NAME ADDRESS/PREFIX GATEWAY SCRIPTS [ROOT]
# Its root is the machine's own, read-only. What must be written to lies on tmpfs and goes with the guest. ROOT: the peers
# come from there, in a chroot that shares all of it.
name=$1 address=$2 gateway=$3 scripts=$4 root=${5-}
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C

mount -t proc proc /proc
mount -t sysfs sys /sys
mountpoint -q /dev || mount -t devtmpfs dev /dev
mkdir -p /dev/pts
mount -t devpts devpts /dev/pts
for folder in /run /tmp /var/log /etc/ppp; do mount -t tmpfs tmpfs "$folder"; done
mkdir -p /run/lock /run/pptp /run/scripts
mount -t hostfs -o "$scripts" none /run/scripts
: >/etc/ppp/options # pppd insists on it; the machine's own scripts and options stay out
echo "$name" >/proc/sys/kernel/hostname
if [ -n "$root" ]; then
  for folder in /proc /sys /dev /run /tmp /var/log /etc/ppp; do mount --rbind "$folder" "$root$folder"; done
fi

modules=/usr/lib/uml/modules/$(uname -r)/kernel
for module in lib/crc-ccitt net/ipv6/ipv6 drivers/net/slip/slhc drivers/net/ppp/ppp_generic drivers/net/ppp/ppp_async \
  lib/crypto/libarc4 drivers/net/ppp/ppp_mppe drivers/net/ppp/ppp_deflate drivers/net/ppp/bsd_comp; do
  insmod "$modules/$module.ko" || echo "insmod $module failed"
done

sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
ip link set lo up
ip address add "$address" dev vec0
ip link set vec0 up
ip route add default via "$gateway"

sh /run/scripts/agent.sh </dev/ttyS0 >/dev/ttyS0 &
wait $! # waits for orphans, too: a shell that is PID 1 must reap them
echo o >/proc/sysrq-trigger
