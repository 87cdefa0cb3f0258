package measure

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/smpctl/smpctl/smp"
)

// stock is an application with Zephyr's defaults on a wire.
func stock(baud int) Link {
	return Link{Params: smp.Params{BufferSize: 384, BufferCount: 4, Known: true}, Limit: 380, Depth: 3, Baud: baud}
}

// rowsOf makes rows as a device would produce them that takes a fixed time for each packet and a time for each byte on
// the wire, in seconds; nothing overlaps but the fixed time.
func rowsOf(l Link, fixed, perByte float64, settings ...setting) []Row {
	var rows []Row
	for _, s := range settings {
		answer := s.Packet + 1
		if s.Request == shapeParams {
			answer = 33
		}
		s.Lines = l.lines(s.Packet)
		up, down := float64(l.frame(s.Packet)), float64(l.frame(answer))
		trip := fixed + perByte*(up+down)
		rows = append(rows, Row{
			setting: s, Sent: 10, RoundTrip: trip, calm: trip, period: max(trip/float64(s.Depth), perByte*up),
			asked: s.Packet, answer: answer,
		})
	}
	return rows
}

// losing marks the rows of packets with more lines in flight than a pool holds.
func losing(pool int, rows []Row) []Row {
	for i := range rows {
		if r := &rows[i]; r.Lines*r.Depth > pool {
			r.Lost, r.period, r.RoundTrip, r.calm = r.Sent, 0, 0, 0
		}
	}
	return rows
}

var everySetting = []setting{
	{shapeEcho, 16, 0, 1}, {shapeEcho, 89, 0, 1}, {shapeEcho, 182, 0, 1}, {shapeEcho, 380, 0, 1},
	{shapeEcho, 380, 0, 3}, {shapeParams, 16, 0, 1}, {shapeParams, 182, 0, 1}, {shapeParams, 380, 0, 1},
	{shapeParams, 380, 0, 3},
}

var alone = []setting{{shapeEcho, 16, 0, 1}, {shapeEcho, 380, 0, 1}, {shapeParams, 16, 0, 1}, {shapeParams, 380, 0, 1}}

var aloneOnly = []setting{{shapeParams, 16, 0, 1}, {shapeParams, 89, 0, 1}, {shapeParams, 252, 0, 1}}

func TestJudge(t *testing.T) {
	const wire115200, fastUSB = 10.0 / 115200, 1e-6
	twoBuffers, unknown, boot, usb := stock(115200), stock(115200), stock(115200), stock(0)
	twoBuffers.Params.BufferCount, twoBuffers.Depth = 2, 1
	unknown.Params, unknown.Limit, unknown.Depth = smp.Params{BufferSize: 256, BufferCount: 1}, 252, 1
	boot.Params, boot.Limit, boot.Depth, boot.Bootloader = smp.Params{BufferSize: 256, BufferCount: 1, Known: true},
		252, 1, true
	raw := unknown
	raw.Raw, raw.Limit = true, 256
	huge := stock(0)
	huge.Params.BufferSize, huge.Limit = 4096, 4092
	noisy := func(rows []Row) []Row {
		for i := range rows {
			rows[i].Lost = 2
		}
		return rows
	}
	tests := []struct {
		name   string
		link   Link
		rows   []Row
		limit  bottleneck
		reason string   // part of it
		lines  int      // that pass
		advice []string // options, best first
	}{
		{"the wire is full", stock(115200), rowsOf(stock(115200), 0.001, wire115200, everySetting...), limitWire,
			"100% of the time at 115200 baud", 0, []string{"baud=1000000", "CONFIG_MCUMGR_TRANSPORT_NETBUF_SIZE=2048"}},
		{"two buffers", twoBuffers, rowsOf(twoBuffers, 0.02, wire115200, alone...), limitOneAtATime,
			"2 packet buffers and an answer needs one", 0,
			[]string{"baud=1000000", "CONFIG_MCUMGR_TRANSPORT_NETBUF_COUNT=4",
				"CONFIG_MCUMGR_TRANSPORT_NETBUF_SIZE=2048"}},
		{"no parameters", unknown, rowsOf(unknown, 0.01, wire115200, aloneOnly...), limitOneAtATime,
			"does not tell its packet buffers", 0, []string{"baud=1000000", "CONFIG_MCUMGR_GRP_OS_MCUMGR_PARAMS=1"}},
		{"MCUboot", boot, rowsOf(boot, 0.01, wire115200, aloneOnly...), limitOneAtATime, "as MCUboot works", 0,
			[]string{"baud=1000000", "CONFIG_BOOT_SERIAL_MAX_RECEIVE_SIZE=2048"}},
		{"raw", raw, rowsOf(raw, 0.01, wire115200, aloneOnly...), limitOneAtATime, "does not tell its packet buffers",
			0, []string{"baud=1000000", "CONFIG_MCUMGR_GRP_OS_MCUMGR_PARAMS=1"}},
		{"USB with the stock line pool", usb, losing(2, rowsOf(usb, 0.001, fastUSB, everySetting...)), limitLines,
			"more than 2 lines are lost", 2, []string{"CONFIG_UART_MCUMGR_RX_BUF_COUNT=15"}},
		{"USB that loses only what flies together", usb, losing(5, rowsOf(usb, 0.001, fastUSB, everySetting...)),
			limitLines, "several packets in flight are lost", 0,
			[]string{"CONFIG_UART_MCUMGR_RX_BUF_COUNT=15", "CONFIG_MCUMGR_TRANSPORT_NETBUF_SIZE=2048"}},
		{"USB", usb, rowsOf(usb, 0.01, fastUSB, everySetting...), limitRoundTrip, "each packet costs 10 ms", 0,
			[]string{"CONFIG_MCUMGR_TRANSPORT_NETBUF_SIZE=2048"}},
		{"a slow driver", huge,
			rowsOf(huge, 0.0001, 1e-4, setting{shapeEcho, 16, 0, 1}, setting{shapeParams, 16, 0, 1},
				setting{shapeParams, 4092, 0, 1}, setting{shapeParams, 4092, 0, 3}),
			limitThroughput, "this many bytes", 0, nil},
		{"noise", stock(115200), noisy(rowsOf(stock(115200), 0.001, wire115200, everySetting...)), limitLoss,
			"6 of 30 packets", 0, nil},
		{"nothing passes", stock(115200), losing(0, rowsOf(stock(115200), 0.001, wire115200, everySetting[:1]...)),
			limitLoss, "10 of 10 packets", 0, nil},
		{"no room for an image", stock(115200),
			rowsOf(stock(115200), 0.001, wire115200, setting{shapeParams, 16, 0, 1}), limitUnknown, "too little", 0,
			nil},
		{"nothing measured", stock(115200), nil, limitUnknown, "too little", 0, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.link.Baud > 0 && !onWire(tt.link, tt.rows) {
				t.Fatal("the rows do not fit a wire")
			}
			v := judge(tt.link, tt.rows)
			if v.Limit != tt.limit || !strings.Contains(v.Reason, tt.reason) || v.LinesPass != tt.lines {
				t.Errorf("got %s (%s), %d lines pass; want %s (%s), %d",
					v.Limit, v.Reason, v.LinesPass, tt.limit, tt.reason, tt.lines)
			}
			var got []string
			for i, a := range v.Advice {
				got = append(got, a.Option+"="+a.Value)
				if a.Factor < worthIt || a.Rate <= v.Upload.Rate || i > 0 && a.Rate > v.Advice[i-1].Rate {
					t.Errorf("advice %+v against %d bytes/s now, after %+v", a, v.Upload.Rate, v.Advice[max(i-1, 0)])
				}
			}
			if diff := cmp.Diff(tt.advice, got); diff != "" {
				t.Errorf("advice (-want +got):\n%s", diff)
			}
		})
	}
}

// TestModel predicts what larger buffers, more of them and a faster wire do to a device whose times are known.
func TestModel(t *testing.T) {
	const turn = 0.02
	l := stock(115200)
	l.Depth = 1
	byteTime := 1 / l.wire()
	rows := rowsOf(l, turn, byteTime, alone...)
	fixed := turn + byteTime*float64(l.frame(33)) // the answer of rowsOf
	m := newModel(l, rows, *bestUpload(rows))
	tests := []struct {
		name                string
		packet, depth, baud int
		want                float64 // seconds for a packet
	}{
		{"as measured", 380, 1, 115200, fixed + byteTime*float64(l.frame(380))},
		{"larger packets", 2044, 1, 115200, fixed + byteTime*float64(l.frame(2044))},
		{"two in flight fill the wire", 2044, 2, 115200, byteTime * float64(l.frame(2044))},
		{"faster wire", 380, 1, 1152000,
			fixed - 0.9*byteTime*float64(l.frame(uploadAnswer)) + byteTime/10*float64(l.frame(380))},
		{"no device is faster than the wire", 380, 60, 115200, byteTime * float64(l.frame(380))},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := m.period(tt.packet, tt.depth, tt.baud); got < tt.want*0.999 || got > tt.want*1.001 {
				t.Errorf("period = %v s, want %v s", got, tt.want)
			}
		})
	}
}

// TestModelDisturbed: the host was busy while one of the sizes was measured.
func TestModelDisturbed(t *testing.T) {
	const turn, byteTime = 0.001, 1e-5
	l := stock(0)
	rows := rowsOf(l, turn, byteTime, everySetting...)
	for i := range rows {
		if r := &rows[i]; r.Request == shapeParams && r.Packet == 16 {
			r.calm, r.RoundTrip, r.period = 0.15, 0.15, 0.15
		}
	}
	m := newModel(l, rows, *bestUpload(rows))
	if m.fixed > 2*turn || m.perByte < byteTime*0.9 || m.perByte > byteTime*1.1 {
		t.Errorf("fixed %v s, per byte %v s; want about %v and %v", m.fixed, m.perByte, turn, byteTime)
	}
}

func TestUploadChunk(t *testing.T) {
	for packet, want := range map[int]int{16: 0, 24: 0, 30: 6, 56: 31, 89: 64, 182: 128, 252: 224, 380: 352, 508: 480,
		1020: 992, 2044: 2016, 4092: 4064} {
		if got := uploadChunk(packet); got != want {
			t.Errorf("uploadChunk(%d) = %d, want %d", packet, got, want)
		}
	}
}

// TestOnWire: a pseudo-terminal is opened with a baud rate too, but answers sooner than that allows.
func TestOnWire(t *testing.T) {
	l := stock(115200)
	slow, fast := rowsOf(l, 0, 1/l.wire(), everySetting...), rowsOf(l, 0, 0.5/l.wire(), everySetting...)
	if !onWire(l, slow) {
		t.Error("answers at the pace of the wire: got no wire")
	}
	for _, r := range slow {
		up, down := float64(l.frame(r.Packet)), float64(l.frame(r.answer))
		want := min(up/(up+down)*float64(r.Depth), 1)
		if got := *r.WireShare; got < want-0.001 || got > want+0.001 {
			t.Errorf("%+v: share %v, want %v", r.setting, got, want)
		}
	}
	if onWire(l, fast) || fast[0].WireShare != nil {
		t.Error("answers at twice the pace of the wire: got a wire, or shares of it")
	}
}
