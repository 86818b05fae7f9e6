#!/bin/sh
# A device that gets its address itself, with busybox udhcpc and Debian's script for it, and takes commands with mosquitto_sub.
# Usage: device.sh HOST PORT CA-FILE DEVICE-ID
host=$1 port=$2 ca=$3 id=$4

busybox udhcpc -f -i eth0 -s /etc/udhcpc/default.script &

while :; do
	mosquitto_sub -h "$host" -p "$port" --cafile "$ca" -i "$id" -t "shakedown/$id/command" -q 1 -k 10 -v
	sleep 5
done
