package station

import (
	"testing"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/page"
)

// The page says why records are not sent, until fewer are left.
func TestTroubleOfSending(t *testing.T) {
	s := new(sending)
	says := func() string {
		var v page.View
		if s.dress(&v); len(v.Messages) == 0 {
			return ""
		}
		return v.Messages[0].Text
	}
	s.counted(3, time.Time{})
	s.note(func() { s.trouble = "the server is away" })
	s.counted(4, time.Time{})
	if got := says(); got != "records are not sent, and kept: the server is away" {
		t.Errorf("while the server is away: %q", got)
	}
	if s.counted(2, time.Time{}); says() != "" {
		t.Errorf("once some were sent: %q", says())
	}
}
