#!/usr/bin/env bash
# Installs the load generators and brokers that bench/swarm measures beside shakedown swarm, at fixed versions, into a cache folder that is
# not the repository ($SHAKEDOWN_BENCH, or shakedown-bench in the user's cache folder). What cannot be had is named at the end. Daemons are
# unpacked, not installed, so that none is started. k6 is left out: its licence is the AGPL. emqtt-bench is in no package registry.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cache=${SHAKEDOWN_BENCH:-${XDG_CACHE_HOME:-$HOME/.cache}/shakedown-bench}
mkdir -p "$cache/bin" "$cache/packages"
failed=()

# try WHAT COMMAND… runs the command, and remembers when it fails.
try() {
	local what=$1
	shift
	echo "peers: $what"
	"$@" >"$cache/last.log" 2>&1 || { tail -n 2 "$cache/last.log" >&2; failed+=("$what"); }
}

# unpack WHAT PACKAGE… puts the files of Debian packages under the cache folder.
unpack() {
	local what=$1
	shift
	(cd "$cache/packages" && apt-get download "$@") || return 1
	mkdir -p "$cache/$what"
	for p in "$@"; do
		dpkg-deb -x "$cache"/packages/"${p}"_*.deb "$cache/$what" || return 1
	done
}

paho() { cd "$here/testdata/paho" && go build -o "$cache/bin/paho" .; }
mqttjs() { mkdir -p "$cache/mqttjs" && cp "$here"/testdata/mqttjs/* "$cache/mqttjs" && npm ci --prefix "$cache/mqttjs" --no-audit --no-fund --silent; }
rabbitmq() {
	unpack rabbitmq rabbitmq-server erlang-base erlang-crypto erlang-eldap erlang-inets erlang-mnesia erlang-os-mon \
		erlang-public-key erlang-runtime-tools erlang-ssl erlang-syntax-tools erlang-tools erlang-xmerl erlang-asn1
}

try paho paho
try mqttjs mqttjs
[ -x "$cache/bin/vegeta" ] || try vegeta env GOBIN="$cache/bin" go install github.com/tsenart/vegeta/v12@v12.13.0
[ -x "$cache/bin/mqtt-stresser" ] || try mqtt-stresser env GOBIN="$cache/bin" go install github.com/inovex/mqtt-stresser@v0.5.0
command -v mosquitto_pub >/dev/null || try mosquitto_pub apt-get install -y --no-install-recommends mosquitto-clients
[ -x "$cache/wrk/usr/bin/wrk" ] || try wrk unpack wrk wrk libluajit-5.1-2
[ -x "$cache/mosquitto/usr/sbin/mosquitto" ] || try mosquitto unpack mosquitto mosquitto libmosquitto1 libcjson1 libwebsockets17 libev4 libuv1
[ -x "$cache/nats/usr/sbin/nats-server" ] || try nats-server unpack nats nats-server
[ -x "$cache/nginx/usr/sbin/nginx" ] || try nginx unpack nginx nginx
[ -x "$cache/libcoap/usr/bin/coap-server-notls" ] || try coap-server unpack libcoap libcoap3-bin libcoap3
[ -x "$cache/rabbitmq/usr/lib/rabbitmq/bin/rabbitmq-server" ] || try rabbitmq rabbitmq
rm -rf "$cache/packages" "$cache/last.log"
if [ ${#failed[@]} -gt 0 ]; then
	echo "peers: could not be had: ${failed[*]}" >&2
	exit 1
fi
echo "peers: all in $cache"
