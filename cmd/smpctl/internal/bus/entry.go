package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/netip"
	"strings"
	"time"
	"unicode"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/files"
	"github.com/smpctl/smpctl/transport"
)

// Limits of what a file says, which anybody may have written.
const (
	maxEntry = 4 << 10 // bytes of the file
	maxText  = 126     // characters that a string descriptor of USB can hold
)

// entry is the file of a port that is present. A port that was away has another one.
type entry struct {
	Port transport.Port `json:"port"`
	TCP  netip.AddrPort `json:"tcp"` // where its bytes are
}

// readEntry reads the file of the port of this name.
func readEntry(path, name string) (entry, error) {
	data, err := files.Read(path, maxEntry)
	if err != nil {
		return entry{}, err
	}
	p := entry{Port: transport.Port{Interface: transport.AnyInterface}}
	if err := json.Unmarshal(data, &p); err != nil {
		return entry{}, fmt.Errorf("%s: %w", path, err)
	}
	if problem := p.problem(name); problem != "" {
		return entry{}, fmt.Errorf("%s: %s", path, problem)
	}
	return p, nil
}

// problem says what is wrong with the file of the port of this name; empty for nothing.
func (p entry) problem(name string) string {
	texts := []string{p.Port.Name, p.Port.Serial, p.Port.Product, p.Port.Manufacturer, p.Port.InterfaceName,
		p.Port.Location}
	for _, text := range texts {
		if len([]rune(text)) > maxText || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
			return fmt.Sprintf("%q is no text of up to %d characters", text, maxText)
		}
	}
	switch {
	case p.Port.Name != name || name == "":
		return fmt.Sprintf("it is the file of port %q", p.Port.Name)
	case !p.Port.USB:
		return "the port is not on USB"
	case p.Port.Interface < transport.AnyInterface || p.Port.Interface > 255:
		return fmt.Sprintf("interface number %d is not 0 to 255", p.Port.Interface)
	case !p.TCP.Addr().IsLoopback() || p.TCP.Port() == 0:
		return fmt.Sprintf("%s is no port of this computer", p.TCP)
	}
	return ""
}

// Answers to whoever connects to a port. What the board says comes after the first one, nothing after the second.
const (
	answerOpen = "open\n"
	answerBusy = "busy\n"
)

// openTime bounds the opening of a port: the connection, and the answer.
const openTime = 2 * time.Second

// open connects to the port.
func (p entry) open(ctx context.Context) (io.ReadWriteCloser, error) {
	dialer := net.Dialer{Timeout: openTime}
	conn, err := dialer.DialContext(ctx, "tcp", p.TCP.String())
	if err != nil {
		return nil, absent(err)
	}
	if err := answer(conn); err != nil {
		conn.Close()
		return nil, absent(err)
	}
	return conn, nil
}

// answer waits for what the far end says first.
func answer(conn net.Conn) error {
	if err := conn.SetReadDeadline(time.Now().Add(openTime)); err != nil {
		return err
	}
	said := make([]byte, len(answerOpen))
	if _, err := io.ReadFull(conn, said); err != nil {
		return err
	}
	switch string(said) {
	case answerOpen:
		return conn.SetReadDeadline(time.Time{})
	case answerBusy:
		return transport.ErrBusy
	}
	return errors.New("what answers there is no virtual board")
}

// absent is the error of a port whose board went away after its file was read: nobody listens there any more, or ends
// the connection at once. Each system has errors of its own for that.
func absent(err error) error {
	var failed net.Error
	if errors.As(err, &failed) && !failed.Timeout() || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errNoPort
	}
	return err
}

var (
	// errNoPort says that a port is not on the bus.
	errNoPort error = missing("there is no such virtual port")
	// errUnserved says that a bus is not there.
	errUnserved error = missing("nobody serves virtual boards there")
)

// missing is an [fs.ErrNotExist] in words.
type missing string

func (m missing) Error() string { return string(m) }

func (missing) Is(target error) bool { return target == fs.ErrNotExist }
