#!/bin/sh
# A sensor made of libcoap's client: it gets its configuration block by block, observes its settings, and posts a measurement every
# 5 s that says which of both it has. Usage: sensor.sh coap-client-… scheme://host:port state-folder [options of the client…]
client=$1 server=$2 state=$3
shift 3

get() { "$client" "$@" -v 1 -B 60 -b 128 -o "$state/new" "$server/config" && [ -s "$state/new" ]; }
checksum() { gzip -c <"$1" | tail -c 8 | od -An -tx4 -N4 | tr -d ' \n'; } # the CRC-32 in gzip's trailer

observer=
trap 'kill "$observer" 2>/dev/null; exit 0' TERM INT
touch "$state/settings"
while :; do # an observation ends with its client
	"$client" "$@" -v 1 -w -s 86400 -o - "$server/settings" >>"$state/settings" 2>&1
	sleep 5
done &
observer=$!

seq=0 config=
while :; do
	if [ -z "$config" ] && rm -f "$state/new" && get "$@"; then
		config=$(checksum "$state/new")
		echo "configuration $config"
	fi
	seq=$((seq + 1))
	level=$(grep -o '"level":[0-9]*' "$state/settings" | tail -n 1 | cut -d : -f 2)
	"$client" "$@" -v 1 -B 100 -m post -t json -e "{\"seq\":$seq,\"level\":${level:-0},\"config\":\"$config\"}" "$server/telemetry"
	sleep 5
done
