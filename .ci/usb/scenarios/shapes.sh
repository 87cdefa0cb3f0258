# A board with two ports whose bootloader has one, under interface number 0, while the user named the application's
# interface 2; and firmware that has a port less, or more.
# lab: --functions acm,acm
. /lab/lib.sh

config=/sys/kernel/config/usb_gadget/board1/configs/c.1
functions=/sys/kernel/config/usb_gadget/board1/functions
cat >/bin/shape <<END
#!/bin/sh
cd $config
rm -f acm.1-0 acm.1-1
for f; do ln -s $functions/acm.1-\$f $config; done
END
chmod +x /bin/shape
application='shape 0 1; lab identity 1 pid=0004 "product=Lab board 1"'
board=usb:serial=5A17B0A2D0000001,if=2

step "recover through a bootloader with another product id and one interface"
firmware app.bin 2.0.0
lab at-reset 1 "shape 1; lab identity 1 pid=0100 product=MCUBOOT"
lab at-reset 1 "$application"
expect 0 smpctl -l info -p $board recover app.bin --enter --wait 40
says recovered
expect 0 smpctl ports

step "the same with a bootloader that calls itself as the application does"
firmware app.bin 3.0.0
lab at-reset 1 "shape 1"
lab at-reset 1 "$application"
expect 0 smpctl -l info -p $board recover app.bin --enter --wait 40
says recovered

step "an upgrade, with the bootloader on USB for a second before the application"
firmware app.bin 4.0.0
lab at-reset 1 "shape 1; lab identity 1 pid=0100 product=MCUBOOT; lab show 1 1; $application"
expect 0 smpctl -l info -p $board upgrade app.bin --wait 40
says "updated .* -> 4.0.0"

step "an upgrade to firmware that has one port only"
firmware app.bin 5.0.0
lab at-reset 1 "shape 1"
expect 0 smpctl -l info -p $board upgrade app.bin --wait 40
says "updated .* -> 5.0.0"
expect 0 smpctl ports

step "and back to firmware with two, whose SMP was the only one before"
firmware app.bin 6.0.0
lab at-reset 1 "shape 0 1"
expect 0 smpctl -l info -p usb:serial=5A17B0A2D0000001 upgrade app.bin --wait 40
says "updated .* -> 6.0.0"
expect 0 smpctl ports

step "several ports of one board: the hint can be taken as it is"
expect 3 smpctl -p usb:serial=5A17B0A2D0000001 echo hello
says "if=2"
expect 0 smpctl $(grep -o -e '-p usb:[^ ]*if=2' $out) echo hello
says hello
verdict
