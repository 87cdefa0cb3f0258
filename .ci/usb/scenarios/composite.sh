# A board with several functions on USB: a network (CDC ECM), a console, a mouse, and SMP on its second serial port.
# lab: --boards 2 --functions ecm,acm,hid,acm
. /lab/lib.sh

board=usb:serial=5A17B0A2D0000001
lab unplug 2

step "what the PC makes of it"
for interface in /sys/bus/usb/devices/1-1:1.*; do
	echo "  interface $(cat "$interface/bInterfaceNumber"): $(basename "$(readlink "$interface/driver")")"
done
holds "a network" [ -d "$(echo /sys/bus/usb/devices/1-1:1.0/net/*)" ]
holds "a mouse" [ "$(basename "$(readlink /sys/bus/usb/devices/1-1:1.4/driver)")" = usbhid ]
expect 0 smpctl ports --json
holds "two ports, with their interface numbers" sh -c "
	grep -q '\"port\":\"/dev/ttyACM0\".*\"interface\":2,.*\"port\":\"/dev/ttyACM1\".*\"interface\":5,' $out"
expect 0 smpctl ports --probe
holds "SMP on one of them" [ "$(grep -c 1.0.0 $out)" = 1 ]

step "upgrades"
version=1
for address in $board,if=5 usb:2fe3:0004,if=5 usb:location=1-1,if=5 /dev/ttyACM1; do
	version=$((version + 1))
	firmware app.bin $version.0.0
	expect 0 smpctl -p "$address" upgrade app.bin
	says "updated .* -> $version.0.0"
done

step "another board of this kind is plugged in during the reset, and takes both names"
version=$((version + 1))
firmware app.bin $version.0.0
lab at-reset 1 "lab plug 2"
expect 0 smpctl -p $board,if=5 upgrade app.bin --wait 20
says "updated .* -> $version.0.0"
holds "board 1 is $(lab tty 1) now" [ "$(lab tty 1)" != /dev/ttyACM1 ]
verdict
