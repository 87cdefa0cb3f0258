# A board that Linux puts to sleep (USB autosuspend) whenever nobody has its port open.
. /lab/lib.sh

power=/sys/bus/usb/devices/1-1/power
state() { cat $power/runtime_status; }
sleeps() { [ "$(state)" = suspended ]; }

# until_sleeps: cdc_acm leaves a board awake whose port was closed, until something asks again whether it may sleep.
until_sleeps() {
	echo on >$power/control
	echo auto >$power/control
	tries=100
	until sleeps; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		usleep 100000
	done
}

step "autosuspend after 100 ms without use"
echo 100 >$power/autosuspend_delay_ms
holds "the board sleeps" until_sleeps
for command in "echo hello" "image list" "info"; do
	expect 0 smpctl -p usb:2fe3:0004 $command
	holds "and sleeps again" until_sleeps
done
firmware app.bin 2.0.0
expect 0 smpctl -p usb:2fe3:0004 upgrade app.bin
says "updated .* -> 2.0.0"
echo 100 >$power/autosuspend_delay_ms # the board is a new device after its reset
holds "the board sleeps" until_sleeps
expect 0 smpctl ports
holds "and the list of ports has not woken it" sleeps
verdict
