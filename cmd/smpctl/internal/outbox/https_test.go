package outbox

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// deliver has a carrier bring one line to a server that answers as told.
func deliver(t *testing.T, token string, answer http.HandlerFunc) error {
	t.Helper()
	s := serve(t, answer)
	if token != "" {
		s.options.TokenFile = filepath.Join(t.TempDir(), "token")
		write(t, s.options.TokenFile, token+"\n")
	}
	to, err := parseTarget(target443, s.options)
	if err != nil {
		t.Fatal(err)
	}
	defer to.carrier.rest()
	return to.carrier.deliver(t.Context(), []byte("{}\n"))
}

func TestRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got *http.Request
		err := deliver(t, "s3cret", func(_ http.ResponseWriter, r *http.Request) { got = r })
		if err != nil {
			t.Fatal(err)
		}
		for key, want := range map[string]string{
			"Authorization": "Bearer s3cret", "Content-Type": "application/x-ndjson", "User-Agent": "smpctl",
		} {
			if got.Header.Get(key) != want {
				t.Errorf("%s: %q, want %q", key, got.Header.Get(key), want)
			}
		}
		if got.Method != http.MethodPost || got.URL.Path != "/v1/records" || got.Host != "example.com" {
			t.Errorf("%s %s %s", got.Method, got.Host, got.URL)
		}
	})
}

func TestServerSays(t *testing.T) {
	answer := func(code int, header, value, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			if header != "" {
				w.Header().Set(header, value)
			}
			w.WriteHeader(code)
			fmt.Fprint(w, body)
		}
	}
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   error // nil: taken
	}{
		"ok":      {answer(200, "", "", "thanks"), nil},
		"created": {answer(201, "", "", ""), nil},
		"nothing": {answer(204, "", "", ""), nil},
		"no token": {answer(401, "Content-Type", "application/json", `{"error":"who are you?"}`),
			&refusal{text: `the server says 401 Unauthorized: {"error":"who are you?"}`, hint: tokenHint}},
		"token said back": {answer(403, "Content-Type", "text/plain", "Bearer s3cret may not"),
			&refusal{text: "the server says 403 Forbidden: Bearer … may not", hint: tokenHint}},
		"nowhere": {answer(404, "Content-Type", "text/html", "<html><h1>Not found"),
			&refusal{text: "the server says 404 Not Found"}},
		"odd": {answer(400, "Content-Type", "text/plain; charset=utf-8", "no \x1b[31m\x00such\n\n thing\xff \u202e"),
			&refusal{text: `the server says 400 Bad Request: no \x1b[31m\x00such thing` + "\\ufffd \\u202e", ofLines: true}},
		"much": {answer(413, "Content-Type", "text/plain", strings.Repeat("x", 300)),
			&refusal{text: "the server says 413 Request Entity Too Large: " + strings.Repeat("x", 200) + "…", ofLines: true}},
		"no number of ours": {answer(499, "", "", ""), &refusal{text: "the server says 499"}},
		"elsewhere": {answer(302, "Location", "https://evil.example/x?k=s3cret", ""),
			&refusal{text: "the server sends elsewhere, 302 Found to https://evil.example/x", hint: elsewhereHint}},
		"elsewhere for good": {answer(308, "Location", "/v2/s3cret", ""), &refusal{
			text: "the server sends elsewhere, 308 Permanent Redirect to https://example.com/v2/…", hint: elsewhereHint}},
		"nowhere else": {answer(304, "", "", ""),
			&refusal{text: "the server sends elsewhere, 304 Not Modified", hint: elsewhereHint}},
		"broken": {answer(500, "Content-Type", "text/plain", "ouch"),
			&setback{text: "the server says 500 Internal Server Error: ouch"}},
		"gateway": {answer(502, "Content-Type", "text/html", "<html>"), &setback{text: "the server says 502 Bad Gateway"}},
		"busy": {answer(429, "Retry-After", "120", ""),
			&setback{text: "the server says 429 Too Many Requests", after: 2 * time.Minute}},
		"busy until": {answer(503, "Retry-After", "Sat, 01 Jan 2000 00:03:00 GMT", ""),
			&setback{text: "the server says 503 Service Unavailable", after: 3 * time.Minute}},
		"too early": {answer(425, "", "", ""), &setback{text: "the server says 425 Too Early"}},
		"too slow":  {answer(408, "Retry-After", "-5", ""), &setback{text: "the server says 408 Request Timeout"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				err := deliver(t, "s3cret", c.answer)
				if !same(err, c.want) {
					t.Errorf("got %#v, want %#v", err, c.want)
				}
			})
		})
	}
}

func same(got, want error) bool {
	switch w := want.(type) {
	case *refusal:
		g, ok := got.(*refusal)
		return ok && *g == *w
	case *setback:
		g, ok := got.(*setback)
		return ok && *g == *w
	}
	return got == nil && want == nil
}

func TestServerHangsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		err := deliver(t, "", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
		var later *setback
		if !errors.As(err, &later) || strings.Contains(err.Error(), "https://") {
			t.Errorf("got %v, want a setback without the URL", err)
		}
	})
}

func TestServerTakesItsTime(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"says nothing": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"byte by byte": func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := w.Write([]byte("x")); err != nil {
					return
				}
				_ = http.NewResponseController(w).Flush()
				time.Sleep(time.Second)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				err := deliver(t, "", answer)
				if took := time.Since(began); took > deliverTime {
					t.Errorf("it took %v, want at most %v", took, deliverTime)
				}
				if name == "says nothing" && (err == nil || err.Error() != "no answer in time") {
					t.Errorf("got %v, want no answer in time", err)
				}
			})
		})
	}
}

func TestHundredMegabytesAreNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		written := 0
		err := deliver(t, "", func(w http.ResponseWriter, _ *http.Request) {
			for part := bytes.Repeat([]byte("x"), 64<<10); written < 100<<20; {
				n, err := w.Write(part)
				written += n
				if err != nil {
					return
				}
			}
		})
		synctest.Wait()
		if err != nil || written > 1<<20 {
			t.Errorf("%v after %d bytes, want nil after less than 1 MiB", err, written)
		}
	})
}

func TestHeadersWithoutEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		err := deliver(t, "", func(w http.ResponseWriter, _ *http.Request) {
			for i := range 1000 {
				w.Header().Set(fmt.Sprint("X-", i), strings.Repeat("x", 1000))
			}
		})
		var later *setback
		if !errors.As(err, &later) {
			t.Errorf("got %v, want a setback", err)
		}
	})
}

func TestCertificateIsLookedAt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, nil)
		for name, o := range map[string]Options{
			"authority": {dial: s.options.dial}, "name": s.options,
		} {
			to := target443
			if name == "name" {
				to = "https://other.example/"
			}
			target, err := parseTarget(to, o)
			if err != nil {
				t.Fatal(err)
			}
			err = target.carrier.deliver(t.Context(), []byte("{}\n"))
			var later *setback
			if !errors.As(err, &later) || !strings.Contains(err.Error(), "certificate") {
				t.Errorf("%s: got %v, want a setback for its certificate", name, err)
			}
		}
		if len(s.took()) != 0 {
			t.Error("a server nobody vouches for got lines")
		}
	})
}

func TestTokenIsReadAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		turns(t, dir, 1)
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") != "Bearer new" {
				w.WriteHeader(http.StatusUnauthorized)
			}
		})
		s.options.TokenFile = filepath.Join(t.TempDir(), "token")
		write(t, s.options.TokenFile, "old")
		sender := s.open(t, dir)
		once(t, sender, 0, "https://example.com/v1/records does not take lines 1 to 2: the server says 401 Unauthorized")
		write(t, s.options.TokenFile, "new\n")
		once(t, sender, 2, "")
	})
}
