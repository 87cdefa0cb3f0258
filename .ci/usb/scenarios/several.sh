# Four boards of one kind, and one process that works on all of them: they leave USB together and come back under whatever
# number is free. Two that claim one identity are left alone, and one that is put into another socket while it is away is
# not looked for there.
# lab: --boards 4
. /lab/lib.sh

step "all of a kind"
firmware app.bin 2.0.0
expect 0 smpctl -p usb:2fe3:0004 upgrade --all --expect 4 app.bin
says "4 of 4 passed"
smpctl -p usb:2fe3:0004 image list --all >/tmp/list
holds "all four run it" [ "$(grep -c 'version: 2\.0\.0' /tmp/list)" = 4 ]

step "more are expected: none is touched"
expect 3 smpctl -p usb:2fe3:0004 --wait 2 reset --all --expect 5
says "5 boards expected, 4 there: 5A17B0A2D0000001"

step "two boards with one serial number"
for n in 1 2; do
	lab unplug $n
	lab identity $n serial=2066366D30395341
	lab plug $n
done
firmware app.bin 3.0.0
expect 8 smpctl -p 'usb:location=1-*' -p 'usb:location=2-*' -p "$(lab tty 3)" -p usb:serial=5A17B0A2D0000004 \
	upgrade --all app.bin
says "2 boards say that they are 2fe3:0004 with serial number 2066366D30395341"
says "2 of 4 passed"
for n in 1 2; do
	smpctl -p usb:location=$n-1 image list >/tmp/list
	holds "board $n is as it was" [ "$(grep -c '3\.0\.0' /tmp/list)" = 0 ]
done

step "put into another socket while it is away"
firmware app.bin 4.0.0
lab at-reset 3 "lab unplug 3; lab move 3 5; lab plug 3"
expect 8 smpctl -p 'usb:location=3-*' -p 'usb:location=4-*' upgrade --wait 20 --all app.bin
says "plugged in at 5-1 now"
says "1 of 2 passed"
expect 0 smpctl -p usb:location=5-1 upgrade app.bin
says "4\.0\.0.* ran already, confirmed"
verdict
