#!/bin/sh
# Holds what a run of the interop tests needs of the machine: caretaker.sh NAMESPACE
# Makes a network namespace and a folder, prints the folder's name, and when its input ends (however the run ended, SIGKILL
# included) ends every process in the namespace and removes both.
namespace=$1
ip netns add "$namespace" || exit
folder=$(mktemp -d) &&
  ip -n "$namespace" link set lo up &&
  ip netns exec "$namespace" sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 &&
  echo "$folder"
read -r _

round=0
while pids=$(ip netns pids "$namespace") && [ -n "$pids" ] && [ $round -lt 100 ]; do
  kill -KILL $pids 2>/dev/null
  sleep 0.1
  round=$((round + 1))
done
ip netns delete "$namespace"
rm -rf "$folder"
