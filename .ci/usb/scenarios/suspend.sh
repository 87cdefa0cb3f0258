# Boards that sleep: USB autosuspend between commands, and the whole PC asleep in the middle of a transfer.
# lab: --boards 1 --sim="--baud 115200"
. /lab/lib.sh

power=/sys/bus/usb/devices/1-1/power
state() { cat $power/runtime_status; }
sleeps() { [ "$(state)" = suspended ]; }
until_sleeps() {
	tries=100
	until sleeps; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		usleep 100000
	done
}

# asleep SECONDS: the PC sleeps (suspend to idle), all devices with it, until its clock wakes it.
cat >/bin/asleep <<"END"
#!/bin/sh
echo 0 >/sys/class/rtc/rtc0/wakealarm
echo "+$1" >/sys/class/rtc/rtc0/wakealarm
echo freeze >/sys/power/state
END
chmod +x /bin/asleep

step "autosuspend after 100 ms without use"
echo 100 >$power/autosuspend_delay_ms
echo auto >$power/control
holds "the board sleeps" until_sleeps
version=1
for command in "echo hello" "image list" "info"; do
	expect 0 smpctl -p usb:2fe3:0004 $command
	holds "and sleeps again" until_sleeps
done
firmware app.bin 2.0.0
expect 0 smpctl -p usb:2fe3:0004 upgrade app.bin
says "updated .* -> 2.0.0"
expect 0 smpctl ports
holds "the list of ports wakes nothing" sh -c "
	echo 100 >$power/autosuspend_delay_ms; echo auto >$power/control; sleep 1; smpctl ports; [ \"\$(cat $power/runtime_status)\" = suspended ]"

step "the PC sleeps for 5 s while smpctl uploads"
firmware app.bin 3.0.0 48
expect 0 disturb " [4-9].%" "asleep 5" smpctl -p usb:2fe3:0004 image upload app.bin
dmesg | grep -E 'PM: suspend|usb 1-1|dummy' | tail -n 6
holds "it did" [ "$(dmesg | grep -c 'PM: suspend exit')" = 1 ]
verdict
