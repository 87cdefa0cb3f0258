package update

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/journal"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/view"
	"github.com/smpctl/smpctl/image"
	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/smp/dfu"
)

// noted is the file as a record has it. Of several images it is the first one that counts.
func (s source) noted() *journal.Image {
	n := &journal.Image{File: s.path, FileSHA256: s.sha256, Signature: "not checked"}
	if s.trusted {
		n.Signature = "verified"
	}
	if len(s.targets) > 0 {
		if img := s.targets[0].File; img != nil {
			n.Hash, n.Version = smp.Hash(img.Hash()).String(), fileVersion(img).Version
			n.KeyHash = keyHash(img)
		}
	}
	return n
}

// keyHash is the hash of the key that an image names; empty if it names none.
func keyHash(img *image.Image) string {
	for _, s := range img.Signatures() {
		if s.Key.Type == image.TLVKeyHash {
			return hex.EncodeToString(s.Key.Value)
		}
	}
	return ""
}

// Note adds to a record what the update did.
func (r upgradeResult) Note(n *journal.Record) {
	n.Before, n.After = notedSlots(r.before), notedSlots(r.after)
	uploading := 0.0 // seconds
	for _, s := range r.Steps {
		n.Steps = append(n.Steps, journal.Step{Step: string(s.Step), Seconds: *s.Seconds})
		if s.Step == dfu.Upload {
			uploading += *s.Seconds
		}
	}
	if uploading > 0 {
		n.BytesPerSecond = int(float64(r.sent) / uploading)
	}
	if len(r.Console) > 0 {
		sum := sha256.Sum256([]byte(strings.Join(r.Console, "\n") + "\n"))
		n.ConsoleSHA256 = hex.EncodeToString(sum[:])
	}
}

// HaltedIn is the step in which the update ended with an error; empty if in none.
func (r upgradeResult) HaltedIn() string { return r.halted }

// Brief is the update in a line of a table.
func (r upgradeResult) Brief() string {
	from, to := versions(r.Images, r.From, fromVersion), versions(r.Images, r.To, toVersion)
	switch {
	case r.Result == "":
		return ""
	case from == to || r.Result == dfu.AlreadyRunning:
		return to + ", " + string(r.Result)
	}
	return from + " -> " + to + ", " + string(r.Result)
}

// notedSlots are the images on a board, as a record has them.
func notedSlots(l smp.ImageList) []journal.Slot {
	var list []journal.Slot
	for _, s := range l.Images {
		list = append(list, journal.Slot{Image: s.Image, Slot: s.Slot, Version: view.VersionText(s.Version),
			Hash: s.Hash.String(), Bootable: s.Bootable, Pending: s.Pending, Confirmed: s.Confirmed, Active: s.Active,
			Permanent: s.Permanent})
	}
	return list
}
