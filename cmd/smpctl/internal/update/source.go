package update

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/device"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/files"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/trust"
	"github.com/smpctl/smpctl/image"
	"github.com/smpctl/smpctl/image/pack"
	"github.com/smpctl/smpctl/smp/dfu"
	"github.com/spf13/pflag"
)

// sourceOptions say which file goes onto a device, and what it has to stand before the device hears of it.
type sourceOptions struct {
	number imageNumber
	keys   []string
}

func (o *sourceOptions) register(f *pflag.FlagSet, short, usage string) {
	f.VarP(&o.number, "image", short, usage)
	f.StringArrayVar(&o.keys, "key", nil,
		"refuse a file that this public `key` (PEM) did not sign; of several keys, one has to")
}

// maxImage is the highest image number that the protocol can name in every command.
const maxImage = 255

// imageNumber is a flag that need not be given.
type imageNumber struct {
	n   int
	set bool
}

func (v *imageNumber) Set(text string) error {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > maxImage {
		return fmt.Errorf("want 0 to %d", maxImage)
	}
	v.n, v.set = n, true
	return nil
}

func (v *imageNumber) String() string {
	if !v.set {
		return ""
	}
	return strconv.Itoa(v.n)
}

func (v *imageNumber) Type() string { return "number" }

// source is a file that was checked, as far as that is possible without a device.
type source struct {
	path     string
	sha256   string       // of the file, in hexadecimal digits; empty if it could not be read
	targets  []dfu.Target // in the order of their images
	packaged bool         // it says itself for which images it is
	trusted  bool         // the signatures fit a key that the user trusts

	names      map[*image.Image]string // of the files in a package
	bootloader bool                    // it replaces the bootloader, which takes it over and never lists it again
}

// unchecked says what a user may not know, where it helps: in a log that is asked for, in a plan, and in results.
const unchecked = "the signature is not checked: no --key, and no key in the connection profile or in smpctl.toml"

// readSource reads an image file or an update package and checks it: before the device hears of it. With an error the
// source says what is known of the file.
func readSource(a *app.App, path string, o sourceOptions) (source, error) {
	s := source{path: path, names: map[*image.Image]string{}}
	if err := files.Apart([]string{a.Flags.Trace}, append([]string{path}, o.keys...)); err != nil {
		return s, err
	}
	data, err := files.ReadImageFile(path)
	if err != nil {
		return s, err
	}
	s.sha256 = files.SHA256(data)
	keys, err := trustedKeys(a, o.keys)
	if err != nil {
		return s, err
	}
	if o.number, err = numberOf(a, o.number); err != nil {
		return s, err
	}
	s.packaged, s.trusted = pack.Is(data), len(keys) > 0
	if s.packaged {
		err = readPackage(a, &s, path, data, o.number, keys)
	} else {
		var img *image.Image
		if img, err = checkedImage(a, path, data, keys); err == nil {
			s.targets = []dfu.Target{{Image: o.number.n, File: img}}
		}
	}
	if err == nil && !s.trusted {
		a.Log.Info(unchecked, "file", path)
		a.Remark(unchecked)
	}
	return s, err
}

// readPackage checks all members, also those that are not wanted: a package with a damaged one is not what was built.
func readPackage(a *app.App, s *source, path string, data []byte, number imageNumber, keys []trust.Key) error {
	p, err := pack.Parse(data)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	for _, text := range p.Warnings {
		a.Warn("%s: %s", path, text)
	}
	for _, m := range p.Members {
		label := path + ": " + m.Name
		img, err := checkedImage(a, label, m.Data, keys)
		if err != nil {
			return err
		}
		for _, text := range m.Differs(img) {
			a.Warn("%s: %s", label, text)
		}
		s.names[img] = m.Name
		s.bootloader = s.bootloader || m.Bootloader
		if !s.add(m, img) {
			return failure.AsImage(fmt.Errorf("%s: holds a file for each slot of nRF's first-stage bootloader, and the "+
				"device does not say which it needs: "+
				"take one out (smpctl package extract) and send it with image upload", path))
		}
	}
	slices.SortFunc(s.targets, func(x, y dfu.Target) int { return cmp.Compare(x.Image, y.Image) })
	if !number.set {
		return nil
	}
	i := slices.IndexFunc(s.targets, func(t dfu.Target) bool { return t.Image == number.n })
	if i < 0 {
		return failure.Usage("--image %d: %s holds %s", number.n, path, imageNames(s.targets))
	}
	s.targets = s.targets[i : i+1]
	return nil
}

// add puts a member beside the others of its image; false if nothing says which of them the device needs.
func (s *source) add(m pack.Member, img *image.Image) bool {
	i := slices.IndexFunc(s.targets, func(t dfu.Target) bool { return t.Image == m.Image })
	switch {
	case i >= 0 && (m.Bootloader || m.Slot == pack.AnySlot):
		return false
	case m.Bootloader || m.Slot == pack.AnySlot:
		s.targets = append(s.targets, dfu.Target{Image: m.Image, File: img})
	case i < 0:
		s.targets = append(s.targets, dfu.Target{Image: m.Image, Variants: []dfu.Variant{{Slot: m.Slot, File: img}}})
	default:
		s.targets[i].Variants = append(s.targets[i].Variants, dfu.Variant{Slot: m.Slot, File: img})
	}
	return true
}

// updatesBootloader refuses what upgrade and recover could not see the end of.
func (s source) updatesBootloader() error {
	if !s.bootloader {
		return nil
	}
	return failure.AsImage(fmt.Errorf("%s: replaces the bootloader itself, which never shows as an image that runs: "+
		"send it with image upload, then image test and reset", s.path))
}

// imageNames is "images 0 and 1" for people.
func imageNames(targets []dfu.Target) string {
	if len(targets) == 1 {
		return fmt.Sprintf("image %d", targets[0].Image)
	}
	numbers := make([]string, len(targets))
	for i, t := range targets {
		numbers[i] = strconv.Itoa(t.Image)
	}
	last := len(numbers) - 1
	return "images " + strings.Join(numbers[:last], ", ") + " and " + numbers[last]
}

// checkedImage parses an image, checks its hash and its signature, and leaves away the padding behind it. Everything
// worth a word is said.
func checkedImage(a *app.App, label string, data []byte, keys []trust.Key) (*image.Image, error) {
	img, err := files.LoadImage(label, data)
	if err != nil {
		return nil, err
	}
	for _, text := range img.Warnings() {
		a.Warn("%s: %s", label, text)
	}
	if err := img.CheckHash(); err != nil && !errors.Is(err, image.ErrEncrypted) {
		return nil, fmt.Errorf("%s: %w", label, err)
	}
	warning, err := trust.CheckSignature(label, img, keys)
	if warning != "" {
		a.Warn("%s", warning)
	}
	if err != nil {
		return nil, err
	}
	return unpadded(a, label, img)
}

// unpadded leaves away what "imgtool sign --pad" adds: it takes as long as a whole slot, and its trailer would decide
// between test and permanent in the user's place. Other bytes behind an image were put there for a reason, and stay.
func unpadded(a *app.App, label string, img *image.Image) (*image.Image, error) {
	behind := img.Bytes()[img.Size():]
	_, trailer := img.Trailer()
	if len(behind) == 0 || !trailer && slices.ContainsFunc(behind, func(b byte) bool { return b != 0xff }) {
		return img, nil
	}
	a.Note("%s: the padding stays here: %d of %d bytes are the image", label, img.Size(), len(img.Bytes()))
	return image.Parse(img.Plain())
}

// trustedKeys reads the keys of the flags, or else that of the connection profile, or else that of the project; none if
// there are none.
func trustedKeys(a *app.App, paths []string) ([]trust.Key, error) {
	if len(paths) == 0 {
		path, err := device.DefaultKey(a)
		if err != nil {
			return nil, err
		}
		if path != "" {
			paths = []string{path}
		}
	}
	return trust.ReadKeys(paths)
}

// explainRejection adds to the error of an image that the bootloader did not start the most likely reason, as far as
// the file shows it.
func (s source) explainRejection(err error, warnings []string) error {
	var running *dfu.NotRunningError
	if !errors.As(err, &running) || running.Reason != dfu.Rejected || failure.NamesOther(failure.SaidBy(err)) {
		return err
	}
	for _, t := range s.targets {
		for _, img := range append(variantFiles(t), t.File) {
			if img != nil && running.Wanted.Equal(img.Hash()) {
				return failure.WithHint(err, afterWarnings(s.rejectionHint(img), warnings))
			}
		}
	}
	return err
}

// afterWarnings puts what the user was warned of before the hint: a bootloader that never starts such a file needs no
// other reason.
func afterWarnings(hint string, warnings []string) string {
	if len(warnings) == 0 {
		return hint
	}
	return strings.Join(warnings, "; ") + ": that may be why; else " + hint
}

func variantFiles(t dfu.Target) []*image.Image {
	var files []*image.Image
	for _, v := range t.Variants {
		files = append(files, v.File)
	}
	return files
}

func (s source) rejectionHint(img *image.Image) string {
	signatures := img.Signatures()
	switch {
	case s.trusted:
		return "the signature fits the given key: does the bootloader have that key, and does it accept the version " +
			"and the security counter?"
	case len(signatures) == 0:
		return "most likely the bootloader wants a signature, and the file has none"
	}
	by := ""
	if key := signatures[0].Key; len(key.Value) >= 4 && key.Type == image.TLVKeyHash {
		by = fmt.Sprintf(" (%s, key hash %x…)", signatures[0].Type, key.Value[:4])
	}
	return "most likely the file is signed with another key" + by +
		" than the bootloader has; --key with the bootloader's public key tells before an upload"
}
