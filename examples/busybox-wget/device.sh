#!/bin/sh
# A device that fetches its settings and a language pack with the wget of BusyBox, as a shell script on a Linux board does.
# Usage: device.sh URL TOKEN STATE-FOLDER
url=$1 token=$2 state=$3
cd "$state" || exit 1

fetch() { # PATH FILE OPTION...
	path=$1 file=$2
	shift 2
	busybox wget -q -T 20 --header="Authorization: Bearer $token" \
		-O "$file" "$@" "$url$path"
}

while sleep 1; do
	if fetch /settings new && ! cmp -s new settings; then
		mv new settings
		echo "settings $(cat settings)"
	fi
	if fetch /pack pack.part -c; then
		mv pack.part pack
		echo "pack $(sha256sum <pack)"
	fi
done
