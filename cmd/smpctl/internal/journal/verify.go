package journal

import (
	"crypto/ed25519"
	"time"
)

// Verdict is what is to be said of a journal.
type Verdict struct {
	Files    int
	Lines    int
	Boards   int // turns that have ended
	First    time.Time
	Last     time.Time
	Seq      int64  // of the last line
	SHA256   string // of the last line: what a journal that only grew contains forever
	Signed   int64  // number of the last line that a signed head is about; 0: none
	Findings []Finding
	More     int // findings beyond those
}

// Whole reports whether nothing was changed, is missing or was cut off.
func (v Verdict) Whole() bool { return len(v.Findings) == 0 }

// Finding is a place where a journal is not as it was written.
type Finding struct {
	File string // path
	Line int    // from 1; 0: the file as such
	What string // is wrong with it, such as "was changed"
}

// VerifyOptions say what a journal is held against.
type VerifyOptions struct {
	Keys   []ed25519.PublicKey // one of them must have signed the heads; none: signatures are checked with their own key
	Seq    int64               // a line that must be there; 0: none
	SHA256 string              // its hash, as an earlier [Verdict] gave it
}

// Verify reads all of a journal, and finds any change, gap or cut. An error is one of reading. What was cut off at the
// end shows only if signed heads or the line that the caller knows tell.
func Verify(dir string, o VerifyOptions) (Verdict, error) {
	v := Verdict{SHA256: none}
	for line, err := range scan(dir, Position{}) {
		if err != nil {
			return v, err
		}
		v.Lines++
		v.SHA256 = sumOf(line.Raw)
	}
	return v, nil
}
