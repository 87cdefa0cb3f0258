package signer

import (
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// FuzzParseRequest holds that what is read can be written and read again.
func FuzzParseRequest(f *testing.F) {
	f.Add([]byte(`{"smpctl_sign_request":1,"file":{"path":"../app.bin","sha256":"00"},` +
		`"options":["--version=1.2.3","--custom-tlv=0xa0=0x01","--pad-header=true"]}`))
	f.Add([]byte(`{"smpctl_sign_request":1,"file":{"path":"app.bin","sha256":"00"},` +
		`"options":["--encrypt=key.pem"],"files":[{"path":"key.pem","sha256":""}],"again":true}`))
	f.Add([]byte(`{"smpctl_sign_request":2}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := parseRequest("request", data)
		if err != nil {
			return
		}
		text, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		again, err := parseRequest("request", text)
		if err != nil || !cmp.Equal(again, r, cmpopts.EquateEmpty()) {
			t.Errorf("%s reads again as %+v, %v", text, again, err)
		}
	})
}

func TestRequestPaths(t *testing.T) {
	folder := t.TempDir()
	for _, test := range []struct{ request, path, want string }{
		{"request.json", "app.bin", "app.bin"},
		{"out/request.json", "build/app.bin", "../build/app.bin"},
		{"out/request.json", "out/app.bin", "app.bin"},
	} {
		request, path := filepath.Join(folder, test.request), filepath.Join(folder, test.path)
		got := relativeTo(request, path)
		if back := (RequestFile{Path: got}).From(request); got != test.want || back != path {
			t.Errorf("relativeTo(%s, %s) = %s, back %s, want %s", test.request, test.path, got, back, test.want)
		}
	}
}
