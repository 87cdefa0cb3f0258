# What "smpctl ports" says of boards and an adapter, compared with what sysfs says.
# lab: --boards 2 --functions acm,acm --adapter sim
. /lab/lib.sh

# entry NAME: what sysfs knows of a port, as smpctl prints it.
entry() {
	interface=$(readlink -f "/sys/class/tty/$1/device")
	[ -e "$interface/bInterfaceNumber" ] || interface=$(dirname "$interface")
	usb=$(dirname "$interface")
	name=$(cat "$interface/interface" 2>/dev/null)
	printf '{"port":"/dev/%s","usb":true,"vid":"%s","pid":"%s","serial":"%s","product":"%s","manufacturer":"%s","interface":%d,%s"location":"%s"}' \
		"$1" "$(cat "$usb/idVendor")" "$(cat "$usb/idProduct")" "$(cat "$usb/serial")" "$(cat "$usb/product")" \
		"$(cat "$usb/manufacturer")" "0x$(cat "$interface/bInterfaceNumber")" "${name:+\"interface_name\":\"$name\",}" "$(basename "$usb")"
}

step "all ports, as text and as JSON"
expect 0 smpctl ports
expect 0 smpctl ports --json
for tty in ttyACM0 ttyACM1 ttyACM2 ttyACM3 ttyUSB0; do
	holds "$tty as in sysfs: $(entry $tty)" grep -qF "$(entry $tty)" $out
done

step "nothing is opened"
lab lines >/tmp/lines &
usleep 300000
smpctl ports >/dev/null
usleep 300000
holds "no request to any port" [ ! -s /tmp/lines ]

step "what answers"
expect 0 smpctl ports --probe
holds "SMP on the second interface of both boards, and behind the adapter" [ "$(grep -c 1.0.0 $out)" = 3 ]

step "an interface by its number"
expect 3 smpctl -p usb:serial="5A17B0A2D0000001" echo hello
says "if="
expect 0 smpctl -p usb:serial="5A17B0A2D0000001",if=2 echo hello
says hello
expect 4 smpctl -p usb:serial="5A17B0A2D0000001",if=0 -t 1 echo hello
within 8

step "a board that is pulled out"
lab unplug 2
expect 0 smpctl ports
holds "only board 1 and the adapter are left" [ "$(grep -c -e ttyACM -e ttyUSB $out)" = 3 ]

step "boards that come and go"
( while :; do lab plug 2; lab unplug 2; done ) &
i=0
bad=0
while [ $i -lt 25 ]; do
	i=$((i + 1))
	smpctl ports --json >$out 2>&1 || bad=$((bad + 1))
	entries=$(grep -o '"port":"/dev/ttyACM[^}]*' $out)
	echo "$entries" | grep -q -v '"serial":"5A17B0A2D000000[12]","product":"Lab board' && { bad=$((bad + 1)); cat $out; }
done
kill $!
holds "25 lists, each without an error and without half an entry: $bad bad" [ $bad = 0 ]
verdict
