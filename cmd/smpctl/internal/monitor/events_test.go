package monitor

import (
	"fmt"
	"net"
	"regexp"
	"testing"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/clitest"
)

// TestMonitorTellsProgramsOfThePort: with --json a port that goes away and comes back is an event each, between the
// lines that were printed before and after.
func TestMonitorTellsProgramsOfThePort(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() { // ends with the listener
		for boot := 1; ; boot++ {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			fmt.Fprintf(conn, "boot %d\r\n", boot)
			conn.Close()
		}
	}()
	port := "tcp:" + l.Addr().String()
	got := clitest.RunTree(t, clitest.TreeOf(Commands), "-p", port, "monitor", "--json",
		"--until", "boot 3", "--for", "60")
	seconds := `"seconds":[0-9.e-]+}` + "\n"
	about := `","port":"` + regexp.QuoteMeta(port) + `",` + seconds
	want := `^{"event":"console","text":"boot 1"}` + "\n" +
		`{"event":"gone` + about + `{"event":"back` + about + `{"event":"console","text":"boot 2"}` + "\n" +
		`{"event":"gone` + about + `{"event":"back` + about + `{"event":"console","text":"boot 3"}` + "\n"
	if got.Code != 0 || !regexp.MustCompile(want).MatchString(got.Err) {
		t.Errorf("code %d, said\n%s\nwant\n%s", got.Code, got.Err, want)
	}
}
