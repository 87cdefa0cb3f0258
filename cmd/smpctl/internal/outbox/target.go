package outbox

import (
	"crypto/sha256"
	"encoding/hex"
	"net"
	"net/url"
	"strings"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
)

// target is where lines go.
type target struct {
	name     string // for people, the cursor and errors: without what may be secret
	identity string // what tells it from other targets
	carrier  carrier
}

// cursorName is the name of the file of its cursor.
func (t target) cursorName() string {
	sum := sha256.Sum256([]byte(t.identity))
	return "sent-" + hex.EncodeToString(sum[:6]) + ".json"
}

const targetHint = "a target is https://HOST/PATH or postgres://USER@HOST/DATABASE"

// parseTarget reads a target. Its errors never show the text, in which there may be a password.
func parseTarget(text string, o Options) (target, error) {
	u, err := url.Parse(text)
	if err != nil {
		return target{}, unusable("the target is not a URL")
	}
	if _, given := u.User.Password(); given {
		return target{}, failure.WithHint(failure.Usage("the target holds a password, which other people would see"),
			"put it into a file and name that: --token-file, token_file in a station's file, or PGPASSFILE")
	}
	switch u.Scheme {
	case "https", "http":
		return webTarget(u, o)
	case "postgres", "postgresql":
		return postgresTarget(u, o)
	}
	return target{}, unusable("the target begins with neither https:// nor postgres://")
}

func unusable(text string) error { return failure.WithHint(failure.Usage("%s", text), targetHint) }

// isLoopback reports whether a host of a URL, or a folder with a socket, is on this machine.
func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || strings.HasPrefix(host, "/") || strings.HasPrefix(host, "@") || ip.IsLoopback()
}
