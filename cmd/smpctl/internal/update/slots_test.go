package update

import (
	"net"
	"testing"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/clitest"
	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/transport"
)

// A device that lists no slots has given an answer: the command succeeded in text as it does in JSON.
func TestNoSlotsIsAnAnswer(t *testing.T) {
	port := serveReplies(t, []byte("\xa1\x66images\x80")) // {"images": []}
	for form, want := range map[string]string{"--json=false": "the device lists no slots\n",
		"--json": `{"images":[]}` + "\n"} {
		if got := clitest.RunTree(t, clitest.TreeOf(Commands), "-p", port, "image", "slots",
			form); got != (clitest.Outcome{Code: 0, Out: want}) {
			t.Errorf("image slots %s: %+v, want 0 and %q", form, got, want)
		}
	}
}

// serveReplies is a device that gives the same answer to every request.
func serveReplies(t *testing.T, body []byte) (port string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			socket, err := l.Accept()
			if err != nil {
				return
			}
			go answerAll(transport.NewConn(socket, transport.Options{}), body)
		}
	}()
	return "tcp:" + l.Addr().String()
}

func answerAll(c *transport.Conn, body []byte) {
	defer c.Close()
	for {
		p, err := c.ReadPacket()
		if err != nil {
			return
		}
		h, _, err := smp.ParseHeader(p)
		if err != nil {
			return
		}
		h.Op, h.Length = h.Op+1, uint16(len(body))
		if c.WritePacket(append(h.Append(nil), body...)) != nil {
			return
		}
	}
}
