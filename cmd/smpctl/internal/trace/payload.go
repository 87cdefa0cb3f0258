package trace

import (
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/cborjson"
)

// Byte strings up to wholeBytes are written out; of longer ones, hashes and data, the beginning: as many digits as
// hashes have in other output. Of texts wholeText characters are, which has room for most of what a shell prints.
const (
	wholeBytes  = 16
	shortDigits = 8
	wholeText   = 400
)

// notation is a payload in CBOR diagnostic notation, with long strings cut. Texts that are not UTF-8 have none:
// such a payload becomes JSON.
func notation(payload []byte) string {
	if len(payload) == 0 {
		return "(empty)"
	}
	text, err := cborjson.Diagnose(payload)
	if err == nil {
		return cutStrings(text)
	}
	if text, err := cborjson.ToJSON(payload); err == nil {
		return string(text)
	}
	reason := strings.TrimPrefix(err.Error(), "cbor: ")
	return fmt.Sprintf("no CBOR, %s: %s", reason, hexBytes(hex.EncodeToString(payload)))
}

// cutStrings cuts the long strings in a diagnostic notation. What looks like bytes within a text stays.
func cutStrings(notation string) string {
	var b strings.Builder
	for rest := notation; rest != ""; {
		n := 1
		switch {
		case rest[0] == '"':
			n = quotedLen(rest)
			b.WriteString(quotedText(rest[:n]))
		case strings.HasPrefix(rest, "h'"):
			digits, _, _ := strings.Cut(rest[2:], "'")
			n = min(len("h''")+len(digits), len(rest))
			b.WriteString(hexBytes(digits))
		default:
			b.WriteByte(rest[0])
		}
		rest = rest[n:]
	}
	return b.String()
}

// quotedLen is how many bytes of text a quoted string takes at its beginning.
func quotedLen(text string) int {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(text)
}

func quotedText(quoted string) string {
	if len(quoted) <= wholeText+len(`""`) {
		return quoted
	}
	return fmt.Sprintf(`%s..." (%d characters)`, quoted[:wholeText], len(quoted)-len(`""`))
}

func hexBytes(digits string) string {
	if len(digits) <= 2*wholeBytes {
		return "h'" + digits + "'"
	}
	return fmt.Sprintf("h'%s...' (%d bytes)", digits[:shortDigits], len(digits)/2)
}
