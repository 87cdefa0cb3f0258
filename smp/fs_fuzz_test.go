package smp_test

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/smpctl/smpctl/smp"
)

// FuzzFileReplies gives a whole copy any answers: one to its pieces, one to everything else. It ends at once, takes no
// more than was announced, and never takes the device at its word.
func FuzzFileReplies(f *testing.F) {
	types := encode(reply{"types": reply{"sha256": reply{"format": 1, "size": 32}}})
	bodies := append(recordedReplies(f), types, encode(reply{"off": 0, "data": []byte("abc"), "len": 3}),
		encode(reply{"off": 0, "data": []byte("abc"), "len": uint64(1) << 63}), encode(reply{"off": 100, "len": 100}),
		encode(reply{"err": reply{"group": 8, "rc": 11}, "len": -1}))
	for i, piece := range bodies {
		f.Add(piece, bodies[(i+7)%len(bodies)])
	}
	f.Fuzz(func(t *testing.T, piece, other []byte) {
		if len(piece) > 1<<16-1 || len(other) > 1<<16-1 {
			return
		}
		data := file(2000)
		synctest.Test(t, func(t *testing.T) {
			c, _ := connect(t, copying(piece, other), smp.Options{})
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
			defer cancel()
			up, err := c.FS.Upload(ctx, "/a", data, smp.FileUpload{})
			checkFuzzed(t, ctx, "Upload", err)
			if err == nil && (up.ComparedBy == smp.ComparedSHA256 || up.ComparedBy == smp.ComparedCRC32) {
				t.Error("Upload: proven by a hash that the device cannot know")
			}
			var got bytes.Buffer
			down, err := c.FS.Download(ctx, "/a", &got, smp.FileDownload{Limit: 5000})
			checkFuzzed(t, ctx, "Download", err)
			if got.Len() > 5000 || err == nil && down.Bytes != int64(got.Len()) {
				t.Errorf("Download: %+v, %d bytes", down, got.Len())
			}
		})
	})
}

// copying is a device that answers the first parameter request as it should, requests for pieces of files with piece,
// and everything else with other.
func copying(piece, other []byte) device {
	n := 0
	return func(l *link, p []byte) {
		h, _, _ := smp.ParseHeader(p)
		switch n++; {
		case n == 1:
			l.reply(response(p, goodParams))
		case h.Group == smp.GroupFS && h.Command == 0:
			l.reply(response(p, piece))
		default:
			l.reply(response(p, other))
		}
	}
}

func checkFuzzed(t *testing.T, ctx context.Context, what string, err error) {
	t.Helper()
	if ctx.Err() != nil {
		t.Errorf("%s: no end", what)
	}
	if err != nil &&
		strings.ContainsFunc(err.Error(), func(r rune) bool { return r < ' ' || r == 0x7f || r == '\u202e' }) {
		t.Errorf("%s: control characters in %q", what, err)
	}
}
