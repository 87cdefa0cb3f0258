# Every form of a usb: address, with two boards of one kind that have two ports each; and two boards with one serial
# number: smpctl must not guess.
# lab: --boards 2 --functions acm,acm
. /lab/lib.sh

one=5A17B0A2D0000001
two=5A17B0A2D0000002

# leads N ADDRESS: the address is the SMP port of board N.
leads() {
	expect 0 smpctl -p "$2" info --json
	holds "it is board $1 at $(lab tty "$1")" grep -qF "\"port\":\"$(lab tty "$1")\"" $out
}

# refused ADDRESS PATTERN: no port is opened, and the error says why.
refused() {
	expect 3 smpctl -p "$1" echo hello
	says "$2"
	within 12
}

step "one port fits"
leads 1 "usb:2fe3:0004:$one,if=2"
leads 2 "usb:2FE3:4:$two,if=2"
leads 1 "usb:serial=$one,if=2"
leads 2 "usb:serial=5a17b0a2d0000002,if=2"
leads 1 "usb:location=1-1,if=2"
leads 2 "usb:if=2,location=2-1"
leads 2 "usb:2fe3:0004,location=2-1,if=2"
leads 1 "usb:serial=$one,location=1-1,if=2"
leads 1 "usb:2fe3:0004:$one,location=1-1,if=2"
leads 2 "USB:2fe3:0004:$two,if=2"
leads 1 "$(lab tty 1)"
leads 2 "/dev/serial/by-id/usb-Zephyr_Project_Lab_board_2_$two-if02"

step "several fit"
for address in usb:2fe3:0004 usb:serial=$one usb:location=2-1 usb:2fe3:0004:$two usb:2fe3:0004,if=2; do
	refused "$address" "ttyACM[0-3].*ttyACM[0-3]"
done
expect 3 smpctl info
says "ttyACM0.*ttyACM3"

step "none fits: smpctl waits 10 s for one to come, and names those that are there"
for address in "usb:2fe3:0004:$one,location=2-1" usb:serial=5A17; do
	refused "$address" "no port matches; present: .*ttyACM0.*ttyACM3"
done

step "no address at all: smpctl does not wait"
for address in usb: usb:2fe3 usb:2fe3: usb:if=2 usb:zzzz:0004 usb:2fe3:0004,if=x usb:serial= usb:serial=$one,serial=$two; do
	expect 2 smpctl -p "$address" echo hello
	says "^smpctl: address"
done

step "from the environment, and from a saved connection"
SMPCTL_PORT=usb:serial=$two,if=2
export SMPCTL_PORT
expect 0 smpctl info --json
holds "board 2" grep -qF "\"port\":\"$(lab tty 2)\"" $out
leads 1 usb:serial=$one,if=2
unset SMPCTL_PORT
expect 0 smpctl conn add left type=serial connstring=usb:serial=$one,if=2
expect 0 smpctl -c left info --json
holds "board 1" grep -qF "\"port\":\"$(lab tty 1)\"" $out

step "two boards with one serial number"
for n in 1 2; do
	lab unplug $n
	lab identity $n serial=0123456789ABCDEF
	lab plug $n
done
refused usb:serial=0123456789ABCDEF,if=2 "ttyACM[0-3].*ttyACM[0-3]"
firmware app.bin 2.0.0
expect 0 smpctl -p usb:serial=0123456789ABCDEF,location=1-1,if=2 upgrade app.bin
says "updated .* -> 2.0.0"
expect 0 smpctl -p usb:location=1-1,if=2 image list
says "2\.0\.0"
expect 0 smpctl -p usb:location=2-1,if=2 image list
holds "board 2 is as it was" [ "$(grep -c -F -e 1.0.0 $out)" = 1 ]
verdict
