#!/bin/sh
# A device that fetches its settings and a language pack with wget, as a shell script on a Linux board does.
# Usage: device.sh URL CA-FILE TOKEN STATE-FOLDER
url=$1 ca=$2 token=$3 state=$4
cd "$state" || exit 1

fetch() { # PATH FILE OPTION...
	path=$1 file=$2
	shift 2
	wget --no-verbose --tries=1 --timeout=20 --ca-certificate="$ca" --header="Authorization: Bearer $token" \
		--output-document="$file" "$@" "$url$path"
}

while sleep 1; do
	if fetch /settings new && ! cmp -s new settings; then
		mv new settings
		echo "settings $(cat settings)"
	fi
	if fetch /pack pack.part --continue; then
		mv pack.part pack
		echo "pack $(sha256sum <pack)"
	fi
done
