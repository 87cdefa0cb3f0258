# A station with four boards, plugged in one after the other. One is pulled out while it works and put into another
# socket; a station that is killed is started again. No board is flashed twice, and the records say the same as the boards.
# lab: --boards 4
. /lab/lib.sh

firmware app.bin 2.0.0 120
cat >line.toml <<'FILE'
name = "lab"
[image]
file = "app.bin"
[boards]
match = "usb:2fe3:0004"
[slots]
"1-1" = "A1"
"2-1" = "A2"
"3-1" = "A3"
"4-1" = "A4"
"5-1" = "B1"
[run]
repeat = "refuse"
[records]
dir = "records"
FILE

said=/tmp/station
start_station() {
	smpctl station line.toml --no-web >>$said 2>&1 </dev/null &
	station=$!
}
stop_station() {
	kill -INT $station
	wait $station
	holds "the station ends with exit code $?" true
}

# shown PATTERN: waits until the station has a line, 30 s at most. It looks seldom: here nothing depends on the moment.
shown() {
	for try in $(seq 100); do
		grep -q -E -e "$1" $said && return
		usleep 300000
	done
	failed "the station never says: $1"
}

# ended RESULT BOARD: how many records say so.
ended() { grep -c "\"event\":\"end\".*\"serial\":\"5A17B0A2D000000$2\".*\"result\":\"$1\"" records/*.jsonl; }
begun() { grep -c "\"event\":\"begin\".*\"serial\":\"5A17B0A2D000000$1\"" records/*.jsonl; }
runs() {
	smpctl -p usb:serial=5A17B0A2D000000$1 image list >/tmp/list
	holds "board $1 runs $2" sh -c "grep -A2 'slot=0' /tmp/list | grep -q '$2'"
}

step "boards are plugged in one after the other"
for n in 1 2 3 4; do lab unplug $n; done
: >$said
start_station
for n in 1 2 4; do
	lab plug $n
	shown "^A$n +PASS"
done

step "a board is pulled out in the upload, and put into another socket"
lab plug 3
until_says "^A3 +WORKING" $said
usleep 300000
lab unplug 3
lab move 3 5
lab plug 3
shown "^(A3|B1) +(PASS|FAIL)"
sed 's/^/  /' $said
holds "it goes on as itself" grep -q -E '^B1 +PASS' $said
holds "its work began once" [ "$(begun 3)" = 1 ]

step "a board that passed is plugged in again"
lab unplug 1
shown "^A1 +EMPTY"
lab plug 1
sleep 4
sed 's/^/  /' $said
holds "it is refused" grep -q -E '^A1 +FAIL.*passed before' $said
holds "it is not flashed again" [ "$(begun 1)" = 1 ]
stop_station

step "what the boards run, and what the records say"
for n in 1 2 3 4; do
	runs $n 2.0.0
	holds "board $n: one begin, one pass" [ "$(begun $n) $(ended pass $n)" = "1 1" ]
done
expect 0 smpctl records verify --dir records

step "the power of the PC fails while two boards are worked on"
firmware app.bin 3.0.0 120
lab unplug 1
lab unplug 2
: >$said
start_station
sleep 2
lab plug 1
lab plug 2
until_says "^A1 +WORKING" $said
until_says "^A2 +WORKING" $said
usleep 300000
kill -9 $station
wait $station
expect 0 smpctl records list --dir records
: >$said
start_station
shown "^A1 +UNKNOWN"
shown "^A2 +UNKNOWN"
sleep 5 # a board that was in its reset is back
holds "nothing is flashed by itself" [ "$(begun 1) $(begun 2)" = "2 2" ]
for n in 1 2; do
	lab unplug $n
	shown "^A$n +EMPTY"
	lab plug $n
	shown "^A$n +PASS"
done
stop_station
for n in 1 2; do
	runs $n 3.0.0
	holds "board $n: unknown once, and passed once with each image" [ "$(ended unknown $n) $(ended pass $n)" = "1 2" ]
done
expect 0 smpctl records verify --dir records
verdict
