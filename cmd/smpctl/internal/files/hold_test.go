package files

import (
	"errors"
	"path/filepath"
	"testing"
)

func TestHold(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	release, err := Hold(path, "smpctl, process 12")
	if err != nil {
		t.Fatal(err)
	}
	_, err = Hold(path, "smpctl, process 13")
	var held *HeldError
	if !errors.As(err, &held) || held.Holder != "smpctl, process 12" {
		t.Errorf("a second holder gets %v, want who has it", err)
	}
	release()
	release, err = Hold(path, "smpctl, process 14")
	if err != nil {
		t.Fatalf("after the first has let go: %v", err)
	}
	release()
}
