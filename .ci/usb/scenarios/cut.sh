# The cable is out at each request of an upgrade in turn, and in again 2 s later. A request is lost, or it is carried
# out and the answer is lost. The upgrade has to go through all the same.
# lab: --with perl
. /lab/lib.sh

board=usb:serial=5A17B0A2D0000001
version=1

# upgraded: an upgrade over the cable that was told to be cut, and what runs then.
upgraded() {
	version=$((version + 1))
	firmware app.bin $version.0.0
	expect 0 smpctl -p $board upgrade app.bin
	says "updated .* -> $version.0.0"
	holds "the cable was cut" [ ! -e /run/lab/1/cut ]
	lab await "$(lab tty 1)"
	expect 0 smpctl -p $board image list
	holds "$version.0.0 is confirmed" awk -v v="$version" '
		/version:/ { mine = $2 == v ".0.0" } /flags:.*confirmed/ && mine { found = 1 } END { exit !found }' "$out"
}

for when in lost "done"; do
	for request in params list upload mark reset; do
		step "$request, $when"
		lab cut 1 "$when" "$request" 2
		upgraded
	done
	for request in params list mark; do
		step "after the reset: $request, $when"
		lab at-reset 1 "lab cut 1 $when $request 2"
		upgraded
	done
done

step "out while the board is away, and in again after 5 s"
lab at-reset 1 "touch unplugged; (sleep 5; rm unplugged) &"
version=$((version + 1))
firmware app.bin $version.0.0
expect 0 smpctl -p $board upgrade app.bin
says "updated .* -> $version.0.0"
verdict
