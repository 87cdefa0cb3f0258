package outbox

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/screen"
)

// FuzzCursor sees that no cursor's file, whoever wrote it, has anything sent but the last lines of the journal.
func FuzzCursor(f *testing.F) {
	const to = "http://127.0.0.1:9/v1"
	dir := f.TempDir()
	lines := []string{}
	prev := strings.Repeat("0", 64)
	for seq := range int64(4) {
		line := string(recordLine(f, "line2-a", seq+1, prev))
		prev = sum([]byte(line))
		lines = append(lines, line+"\n")
	}
	whole := strings.Join(lines, "")
	if err := os.WriteFile(filepath.Join(dir, "2026-11.jsonl"), []byte(whole), 0o600); err != nil {
		f.Fatal(err)
	}
	before := `{"v":1,"seq":2,"sha256":"` + sum([]byte(strings.TrimSpace(lines[1]))) +
		`","before":{"file":"2026-11.jsonl","seq":1,"offset":`
	f.Add(before + "0}}")
	f.Add(before + strconv.Itoa(len(lines[0])) + "}}")
	f.Add(strings.Replace(before, "2026-11.jsonl", "../2026-11.jsonl", 1) + strconv.Itoa(len(lines[0])) + "}}")
	f.Add("{}")
	f.Add("")
	s, err := Open(dir, to, Options{})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		write(t, s.path, text)
		s, err := Open(dir, to, Options{})
		if err != nil {
			return
		}
		b, err := s.gather(s.at(), maxLines)
		if err != nil {
			return
		}
		got := b.lines.String()
		start := len(whole) - len(got)
		if !strings.HasSuffix(whole, got) || start > 0 && whole[start-1] != '\n' {
			t.Errorf("%q has this sent: %q", text, got)
		}
	})
}

// FuzzAnswer sees that whatever a server says makes a short line that steers no terminal and shows no token.
func FuzzAnswer(f *testing.F) {
	const token = "s3cret-token"
	f.Add(401, "text/plain", "", "", token)
	f.Add(302, "", "https://evil.example/"+token+"?"+token, "", "")
	f.Add(503, "application/problem+json", "", "99999999999999999999", "\x1b]0;x\a\u202e\xff")
	f.Fuzz(func(t *testing.T, code int, kind, location, after, body string) {
		r := &http.Response{StatusCode: code, Header: http.Header{},
			Request: &http.Request{URL: &url.URL{Scheme: "https", Host: "mes.example"}}}
		r.Header.Set("Content-Type", kind)
		r.Header.Set("Location", location)
		r.Header.Set("Retry-After", after)
		err := judge(r, []byte(body), token)
		if err == nil {
			return
		}
		text := err.Error()
		if strings.Contains(text, token) || utf8.RuneCountInString(text) > 20*maxSaid ||
			strings.ContainsFunc(text, func(r rune) bool { return screen.Unprintable(r) || unicode.IsControl(r) }) {
			t.Errorf("%q", text)
		}
		if later, ok := err.(*setback); ok && (later.after < 0 || wait(1, later.after, 0) > longestAsked) {
			t.Errorf("after %v", later.after)
		}
	})
}
