package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

// TestServe holds the exchange up to the token, which needs a module.
func TestServe(t *testing.T) {
	for _, test := range []struct{ name, in, reason, words string }{
		{"nothing", "", "protocol", "ended too soon"},
		{"half a line", `{"protocol":1`, "protocol", "ended too soon"},
		{"no JSON", "hello\n", "protocol", "not a request"},
		{"a later smpctl", `{"protocol":2}` + "\n", "protocol", "for protocol 1"},
		{"no module", `{"protocol":1}` + "\n", "module", "module-path"},
		{"a module that is not there", `{"protocol":1,"module":"/nowhere/p11.so"}` + "\n", "module", "no such file"},
		{"a module that is none", `{"protocol":1,"module":"/dev/null"}` + "\n", "module", "can load"},
	} {
		var out bytes.Buffer
		c := &conversation{in: bufio.NewReader(strings.NewReader(test.in)), out: &out}
		if err := c.serve(); err != nil {
			t.Fatal(err)
		}
		var a answer
		if err := json.Unmarshal(out.Bytes(), &a); err != nil || a.Error == nil || a.Error.Reason != test.reason ||
			!strings.Contains(a.Error.Message, test.words) {
			t.Errorf("%s: %s %v, want %q (%s)", test.name, out.Bytes(), err, test.words, test.reason)
		}
	}
}
