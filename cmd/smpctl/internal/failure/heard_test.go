package failure_test

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/smp/dfu"
	"github.com/smpctl/smpctl/transport"
)

// TestHeard: a device that does not answer has a sentence and a hint for each thing that may come from it instead.
func TestHeard(t *testing.T) {
	const otherPort = "SMP may be on another port, and smpctl ports --probe asks all of them"
	type heard = transport.Heard
	frames := func(k transport.FrameKind) heard { return heard{Kind: transport.HeardFrames, Frames: k} }
	for _, tt := range []struct {
		name           string
		heard          failure.Heard
		sentence, hint string
	}{
		{"nothing", failure.Heard{Heard: heard{Kind: transport.HeardNothing}}, "nothing was heard",
			"check port, baud rate and cable, that the firmware has SMP on this port (--raw if it uses raw framing), " +
				"and that no terminal program reads it too"},
		{"nothing, raw", failure.Heard{Heard: heard{Kind: transport.HeardNothing}, Raw: true}, "nothing was heard",
			"check port, baud rate and cable, that the firmware has SMP on this port (without --raw if it uses console " +
				"framing), and that no terminal program reads it too"},
		{"nothing over UDP", failure.Heard{Heard: heard{Kind: transport.HeardNothing}, Link: transport.KindUDP},
			"nothing was heard", "check the address, and that the firmware has SMP over UDP on this port"},
		{"nothing over TCP", failure.Heard{Heard: heard{Kind: transport.HeardNothing}, Link: transport.KindTCP},
			"nothing was heard", "check what is behind the server, its baud rate, and that the firmware has SMP on " +
				"this port (--raw if it uses raw framing)"},
		{"nothing any more", failure.Heard{Heard: heard{Kind: transport.HeardNothing, Answers: 3}},
			"nothing was heard since its last answer",
			"the command may take longer than --timeout, or the device has crashed or restarted"},
		{"a shell", failure.Heard{Heard: heard{Kind: transport.HeardText, Line: "uart:~$ "}},
			`the device prints text: "uart:~$ "`, "a console or a shell? " + otherPort},
		{"empty lines", failure.Heard{Heard: heard{Kind: transport.HeardText}},
			"the device prints text", "a console or a shell? " + otherPort},
		{"a crash",
			failure.Heard{Heard: heard{Kind: transport.HeardText, Line: "E: ***** BUS FAULT *****", Answers: 9}},
			`the device prints text: "E: ***** BUS FAULT *****"`,
			"the firmware may have crashed or restarted; smpctl monitor shows what it prints"},
		{"wrong rate", failure.Heard{Heard: heard{Kind: transport.HeardGarbage}, Baud: 115200},
			"unreadable bytes were heard", "is it another baud rate than 115200? try -b 1000000"},
		{"wrong rate chosen", failure.Heard{Heard: heard{Kind: transport.HeardGarbage}, Baud: 921600},
			"unreadable bytes were heard", "is it another baud rate than 921600? try -b 115200"},
		{"the rate changes",
			failure.Heard{Heard: heard{Kind: transport.HeardGarbage, Line: "*** Booting"}, Baud: 115200},
			`text turns into unreadable bytes: "*** Booting"`, "is it another baud rate than 115200? try -b 1000000"},
		{"wrong rate behind a server",
			failure.Heard{Heard: heard{Kind: transport.HeardGarbage}, Link: transport.KindTCP},
			"unreadable bytes were heard", "is the device's baud rate another than that of the server's port?"},
		{"echo", failure.Heard{Heard: heard{Kind: transport.HeardEcho}}, "our own bytes came back",
			"a terminal, a modem or a loop of the wires sends them back: " + otherPort},
		{"others talk", failure.Heard{Heard: frames(transport.FramesUnasked)},
			"SMP packets came that answer none of ours", "another program or another host uses the same line"},
		{"lossy", failure.Heard{Heard: frames(transport.FramesDamaged)}, "SMP packets came, and none was whole",
			"bytes get lost or changed on the way: another program that reads the port, a bad cable, a baud rate that " +
				"is too high; --trace FILE shows them"},
		{"raw", failure.Heard{Heard: frames(transport.FramesRaw)}, "bare SMP packets came",
			"the firmware uses raw framing: add --raw"},
		{"not raw", failure.Heard{Heard: frames(transport.FramesConsole)}, "SMP packets came in console framing",
			"the firmware uses console framing: leave out --raw"},
		{"PPP", failure.Heard{Heard: frames(transport.FramesHDLC)},
			"frames of another protocol came (HDLC, as in PPP and Spinel)", otherPort},
		{"SLIP", failure.Heard{Heard: frames(transport.FramesSLIP)}, "frames of another protocol came (SLIP)",
			otherPort},
		{"COBS", failure.Heard{Heard: frames(transport.FramesCOBS)}, "frames of another protocol came (COBS)",
			otherPort},
		{"datagrams", failure.Heard{Heard: frames(""), Link: transport.KindUDP}, "packets of another protocol came",
			"check the address: something else answers there"},
	} {
		silence := fmt.Errorf("echo: %w within 3s (3 tries)", smp.ErrNoReply)
		err := failure.WithHeard(silence, tt.heard)
		if want := silence.Error() + "; " + tt.sentence; err.Error() != want || !errors.Is(err, smp.ErrNoReply) {
			t.Errorf("%s: got %q, want %q", tt.name, err, want)
		}
		k := failure.KindOf(t.Context(), err)
		if got := failure.Hint(k, err, failure.Situation{}); k != failure.KindNoReply || got != tt.hint {
			t.Errorf("%s: hint\n%s, %v, want\n%s", tt.name, got, k, tt.hint)
		}
		if got := failure.HeardBy(err); got != string(tt.heard.Kind) {
			t.Errorf("%s: HeardBy = %q, want %q", tt.name, got, tt.heard.Kind)
		}
	}
}

// TestHeardBesidesSilence says nothing of what was heard where something else is the matter.
func TestHeardBesidesSilence(t *testing.T) {
	text := failure.Heard{Heard: transport.Heard{Kind: transport.HeardText, Line: "hello"}}
	absent := &transport.OpenError{Address: "x", Err: fs.ErrNotExist}
	for _, err := range []error{
		nil, &smp.DeviceError{Code: 8}, smp.ErrClosed, absent, fmt.Errorf("%w within 2m: %w", dfu.ErrNotBack, absent),
		errors.New("image x: no image on the device begins with it"),
	} {
		if got := failure.WithHeard(err, text); !errors.Is(got, err) || failure.HeardBy(got) != "" {
			t.Errorf("%v: got %v", err, got)
		}
	}
	// A device that prints after its reset and does not answer: what to do comes from the update.
	err := failure.WithHeard(fmt.Errorf("%w within 2m: %w", dfu.ErrNotBack, smp.ErrNoReply), text)
	if hint := failure.Hint(failure.KindNoReply, err, failure.Situation{}); failure.HeardBy(err) != "text" ||
		!strings.HasPrefix(hint, "power the board off and on") {
		t.Errorf("%v: heard %q, hint %q", err, failure.HeardBy(err), hint)
	}
}
