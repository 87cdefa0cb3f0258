# A board that is reset by DTR. The script watches the bus, and boots the board when the PC raises or lowers the line.
# lab: --sim="--tcp 127.0.0.1:7001"
. /lab/lib.sh

# reset_by N COUNT: the next COUNT changes to DTR=N boot the board, which leaves USB for that.
reset_by() {
	lab lines | awk -v line="DTR=$1" -v left="$2" '
		index($0, line) && left > 0 {
			left--
			print "-- " $0 ": boot"
			fflush()
			system("smpctl -p tcp:127.0.0.1:7001 reset")
		}
	' >>/tmp/boots 2>&1 &
	usleep 300000
}

# ended: nobody watches any more.
ended() {
	kill "$(pidof awk)" 2>/dev/null
	wait
	sed 's/^/  /' /tmp/boots
	holds "$1" [ "$(grep -c boot /tmp/boots)" = "$2" ]
	: >/tmp/boots
	lab await /dev/ttyACM0
	usleep 500000
}

firmware app.bin 2.0.0
firmware new.bin 3.0.0

step "opening the port boots the board once, as a bootloader does that waits for a terminal"
reset_by 1 1
expect "0|4" smpctl -p usb:2fe3:0004 image list # whichever is faster, the answer or the boot
ended "it booted once" 1
expect 0 smpctl -p usb:2fe3:0004 image list

step "the same in an upgrade"
reset_by 1 1
expect 0 smpctl -p usb:2fe3:0004 upgrade app.bin
says "updated .* -> 2.0.0"
ended "it booted once" 1

step "closing the port boots the board: what was done stays done"
reset_by 0 1
expect 0 smpctl -p usb:2fe3:0004 upgrade new.bin
says "updated .* -> 3.0.0"
sleep 1
ended "it booted once" 1
expect 0 smpctl -p usb:2fe3:0004 image list
holds "3.0.0 is confirmed" grep -q 'active confirmed' $out
verdict
