package simcmd

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/smp/sim"
)

// hands plug boards in and pull them out.
type hands struct{ boards []*sim.Board }

// obey does what each line of a text says, until it ends.
func (h hands) obey(a *app.App, r io.Reader) {
	for lines := bufio.NewScanner(r); lines.Scan(); {
		line := lines.Text()
		if strings.TrimSpace(line) == "" {
			continue
		}
		if done, err := h.do(strings.Fields(line)); err != nil {
			a.Warn("%s: %v", line, err)
		} else {
			a.Say("%s", done)
		}
	}
}

// do does what the words of a line say, and says what is different now.
func (h hands) do(words []string) (done string, err error) {
	const usage = "want plug N [SOCKET], unplug N or reset N"
	if len(words) < 2 {
		return "", errors.New(usage)
	}
	n, err := strconv.Atoi(words[1])
	if err != nil || n < 1 || n > len(h.boards) {
		return "", fmt.Errorf("want the number of a board, 1 to %d", len(h.boards))
	}
	b := h.boards[n-1]
	switch {
	case words[0] == "plug" && len(words) <= 3:
		at := socket(n - 1)
		if len(words) == 3 {
			at = words[2]
		}
		return fmt.Sprintf("%s is in %s", serialNumber(n-1), at), b.Plug(at)
	case words[0] == "unplug" && len(words) == 2:
		b.Unplug()
		return serialNumber(n-1) + " is in no socket", nil
	case words[0] == "reset" && len(words) == 2 && b.Location() != "":
		b.Device().Reset()
		return serialNumber(n-1) + " is reset", nil
	}
	return "", errors.New(usage)
}
