package signing

import (
	"encoding/json"
	"testing"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/signer"
)

// FuzzApplyOptions holds that any options of a request are taken or refused.
func FuzzApplyOptions(f *testing.F) {
	f.Add([]byte(`{"smpctl_sign_request":1,"file":{"path":"../app.bin","sha256":"00"},` +
		`"options":["--version=1.2.3","--custom-tlv=0xa0=0x01","--pad-header=true"]}`))
	f.Add([]byte(`{"smpctl_sign_request":1,"file":{"path":"app.bin","sha256":"00"},` +
		`"options":["--encrypt=key.pem"],"files":[{"path":"key.pem","sha256":""}],"again":true}`))
	f.Fuzz(func(_ *testing.T, data []byte) {
		var r signer.Request
		if err := json.Unmarshal(data, &r); err != nil {
			return
		}
		_ = applyOptions(r, newBuildFlags(new(buildFlags)), "request")
	})
}

// What a request holds is what was said, but for flags of the step alone.
func TestRecordOptions(t *testing.T) {
	given := newBuildFlags(new(buildFlags))
	given.String("output", "", "")
	for name, value := range map[string]string{"version": "1.2.3", "pad-header": "true", "output": "request.json"} {
		if err := given.Set(name, value); err != nil {
			t.Fatal(err)
		}
	}
	var r signer.Request
	if err := recordOptions(&r, given, newBuildFlags(new(buildFlags)), "request.json"); err != nil {
		t.Fatal(err)
	}
	var b buildFlags
	if err := applyOptions(r, newBuildFlags(&b), "request.json"); err != nil || len(r.Options) != 2 {
		t.Errorf("options %q: %v", r.Options, err)
	}
	if !b.padHeader || b.version.String() != "1.2.3+0" {
		t.Errorf("read back: %+v", b)
	}
}
