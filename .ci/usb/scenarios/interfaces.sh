# A board with two serial ports, a console and SMP. After a reset the client must come back to the second one, also when
# the first one is there earlier.
# lab: --functions acm,acm --boards 2
. /lab/lib.sh

board=usb:serial=5A17B0A2D0000001

# one_by_one: at the next reset the second port appears two seconds after the first.
one_by_one() {
	echo 0 >/sys/bus/usb/devices/usb1/interface_authorized_default
	lab at-reset 1 one_by_one
}
cat >/bin/one_by_one <<'END'
#!/bin/sh
(
	lab await /sys/bus/usb/devices/1-1:1.3/authorized
	cd /sys/bus/usb/devices
	for first in 0 2; do
		echo 1 >1-1:1.$first/authorized
		echo 1 >1-1:1.$((first + 1))/authorized
		echo 1-1:1.$first >../drivers_probe
		sleep 2
	done
	echo 1 >usb1/interface_authorized_default
) &
END
chmod +x /bin/one_by_one

step "an upgrade over the second port"
lab unplug 2
firmware app.bin 2.0.0
expect 0 smpctl -p $board,if=2 upgrade app.bin
says "updated .* -> 2.0.0"

step "another board takes ttyACM0 and ttyACM1 in the reset"
lab at-reset 1 "lab plug 2"
firmware app.bin 3.0.0
expect 0 smpctl -l info -p $board,if=2 upgrade app.bin --wait 20
says "updated .* -> 3.0.0"
expect 0 smpctl ports
lab unplug 2
smpctl -p $board,if=2 image confirm >/dev/null # should that have failed

step "the first port is back two seconds before the second"
one_by_one
firmware app.bin 4.0.0
expect 0 smpctl -l info -p $board,if=2 upgrade app.bin --wait 20
says "updated .* -> 4.0.0"
within 15
expect 0 smpctl ports
smpctl -p $board,if=2 image confirm >/dev/null # the same

step "the same, named by the name of the port, with reset --wait"
one_by_one
expect 0 timeout 20 smpctl -p "$(lab tty 1)" reset --wait
verdict
