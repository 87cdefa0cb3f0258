#!/usr/bin/env bash
# The first lesson of every MCUboot tutorial, with smpctl alone and as a shell script has it: a named connection, upload,
# test, reset, and back; then once more with a confirm. Each step checks what is printed, not only that it went well.
#
# Usage: interop_lesson.sh FOLDER, with the smpctl under test in SMPCTL.
set -euo pipefail
folder=$1
mkdir -p "$folder"
export HOME=$folder XDG_CONFIG_HOME=$folder/config
file=testdata/app-2.0.0.bin
checks=0

# same WHAT GOT WANT ends the script if the two differ.
same() {
	if [ "$2" != "$3" ]; then
		printf 'FAIL %s\n got  %s\n want %s\n' "$1" "$2" "$3"
		exit 1
	fi
	checks=$((checks + 1))
	echo "  ok $1"
}

# slots prints the image list as one line: version and flags of each slot.
slots() {
	dk image list | awk '
		/version:/ { printf "%s%s", sep, $2; sep = ", " }
		/flags:/ { for (i = 2; i <= NF; i++) printf " %s", $i }'
}

dk() { "$SMPCTL" -c dk "$@"; }

"$SMPCTL" sim --pty "$folder/board" --flash "$folder/board.bin" --key testdata/app.pub.pem 2>"$folder/sim.log" &
board=$!
trap 'kill $board 2>/dev/null || true' EXIT
for _ in $(seq 100); do
	[ -e "$folder/board" ] && break
	sleep 0.1
done

same 'conn add' "$("$SMPCTL" conn add dk type=serial connstring="dev=$folder/board,baud=115200,mtu=512")" \
	'Connection profile dk successfully added'
same 'a new board' "$(slots)" '1.0.0 active confirmed'
hash=$("$SMPCTL" --json inspect $file | grep -o '"hash":"[0-9a-f]*"' | cut -d'"' -f4)
same 'the file has a hash' ${#hash} 64

same 'upload says the hash' "$(dk --quiet image upload $file | sed -n 's/^hash: //p')" "$hash"
same 'uploaded' "$(slots)" '1.0.0 active confirmed, 2.0.0'
same 'test prints the list' "$(dk image test "$hash" | sed -n 's/^    hash: //p' | tail -n 1)" "$hash"
same 'marked' "$(slots)" '1.0.0 active confirmed, 2.0.0 pending'
dk --quiet reset --wait >"$folder/out"
same 'swapped, not confirmed' "$(slots)" '2.0.0 active, 1.0.0 confirmed'
dk --quiet reset --wait >"$folder/out"
same 'reverted' "$(slots)" '1.0.0 active confirmed, 2.0.0'

dk image test "$hash" >"$folder/out"
dk --quiet reset --wait >"$folder/out"
dk image confirm >"$folder/out"
same 'confirmed' "$(slots)" '2.0.0 active confirmed, 1.0.0'
dk --quiet reset --wait >"$folder/out"
same 'it stays' "$(slots)" '2.0.0 active confirmed, 1.0.0'

# A script must see a refusal and a missing board by the exit code alone.
code=0
dk image test 1111111111111111111111111111111111111111111111111111111111111111 2>"$folder/err" || code=$?
same 'an unknown hash is refused' $code 5
kill -INT $board
code=0
wait $board || code=$?
same 'the board ends when interrupted' $code 0
code=0
dk image list 2>"$folder/err" || code=$?
same 'a board that is gone' $code 3
echo "lesson: $checks checks passed"
