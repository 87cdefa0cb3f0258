package signing

import (
	"encoding/hex"
	"fmt"
	"math"
	"strings"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/files"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/trust"
	"github.com/smpctl/smpctl/image"
	"github.com/smpctl/smpctl/image/key"
	"github.com/spf13/pflag"
)

// buildFlags are imgtool's options that say what an image is. They have imgtool's names.
type buildFlags struct {
	version       app.VersionFlag
	headerSize    app.Number
	slotSize      app.Number
	padHeader     bool
	keyFormat     app.Choice
	sha           app.Choice
	pure          bool
	padSignature  bool
	dependencies  string
	counter       string
	bootRecord    string
	tlvs          app.Tagged
	tlvFiles      app.Tagged
	vendor, class string
	pad           bool
	test          bool
	confirm       bool
	align         app.Choice
	maxAlign      app.Choice
	maxSectors    app.Number
	overwriteOnly bool
	endian        app.Choice
	erased        app.Choice
	loadAddr      app.Number
	romFixed      app.Number
	hexAddr       app.Number
	nonBootable   bool
	encrypt       string
	encryptBits   app.Choice
	hmac          app.Choice
	clear         bool
	saveEntry     bool
	compression   app.Choice
}

// newBuildFlags gives the flags of sign that make an image, and nothing else.
func newBuildFlags(b *buildFlags) *pflag.FlagSet {
	f := pflag.NewFlagSet("", pflag.ContinueOnError)
	b.register(f)
	return f
}

func (b *buildFlags) register(f *pflag.FlagSet) {
	f.VarP(&b.version, "version", "v", "`version` of the image: 1.2.3 or 1.2.3+4")
	f.VarP(&b.headerSize, "header-size", "H", "`bytes` of the header with its padding, for Zephyr 0x200")
	f.VarP(&b.slotSize, "slot-size", "S",
		"`bytes` of the slot that the image must fit, of the secondary one if they differ; 0: not checked")
	f.BoolVar(&b.padHeader, "pad-header", false,
		"put the header in front of the file; without it, it replaces zeros there")
	app.Heading(f, "Image", "version")
	b.registerSignature(f)
	app.Heading(f, "Signature", "public-key-format")
	f.StringVarP(&b.dependencies, "dependencies", "d", "",
		"other images that must be there, as a `list`: (1,1.2.3),(2,1.0)")
	f.StringVarP(&b.counter, "security-counter", "s", "",
		"`number` against downgrades, or auto to make it of the version")
	f.StringVar(&b.bootRecord, "boot-record", "",
		"add a record for measured boot, of this `type` of software")
	f.Var(&b.tlvs, "custom-tlv",
		"add a protected entry, `TAG=VALUE`: a tag of a vendor, 0xa0 to 0xfffe, and 0x… for bytes or text")
	f.Var(&b.tlvFiles, "custom-tlv-file", "add a protected entry, `TAG=FILE`, with the content of a file")
	f.StringVar(&b.vendor, "vid", "", "vendor, as a `UUID` or a domain of which one is made")
	f.StringVar(&b.class, "cid", "", "class of device, as a `UUID` or a name within the vendor")
	app.Heading(f, "Entries", "dependencies")
	b.registerSlot(f)
	app.Heading(f, "Slot and flash", "pad")
	b.endian = app.NewChoice(f, "endian", "e", "byte order: little", "little", "big")
	app.Heading(f, "Place in memory", "endian")
	f.VarP(&b.loadAddr, "load-addr", "L", "`address` in RAM at which the image is to run")
	f.VarP(&b.romFixed, "rom-fixed", "F", "`address` in flash for which the image is linked")
	f.VarP(&b.hexAddr, "hex-addr", "x", "`address` of the header in an Intel HEX output")
	f.BoolVar(&b.nonBootable, "non-bootable", false, "mark the image as one not to start")
	b.registerEncryption(f)
	app.Heading(f, "Encryption and compression", "encrypt")
	app.Heading(f, "Encryption and compression", "encrypt")
}

// registerSignature declares what a new signature of an image can change.
func (b *buildFlags) registerSignature(f *pflag.FlagSet) {
	b.keyFormat = app.NewChoice(f, "public-key-format", "", "what names the key in the image: hash or full",
		"hash", "full")
	b.sha = app.NewChoice(f, "sha", "", "hash of the image: auto, 256, 384 or 512", "auto", "256", "384", "512")
	f.BoolVar(&b.pure, "pure", false, "sign the image itself with Ed25519, not its hash")
	f.BoolVar(&b.padSignature, "pad-sig", false, "pad an ECDSA signature with zeros, for MCUboot before 1.5")
}

// registerSlot declares what concerns the slot and its trailer.
func (b *buildFlags) registerSlot(f *pflag.FlagSet) {
	f.BoolVar(&b.pad, "pad", false, "make the file as long as the slot, with a trailer that asks for a trial")
	f.BoolVar(&b.test, "test", false, "the same as --pad")
	f.BoolVar(&b.confirm, "confirm", false, "as --pad, but permanent: to program a board, not to upload")
	b.align = app.NewChoice(f, "align", "", "bytes of the smallest write to flash: 1, 2, 4, 8, 16 or 32",
		"1", "2", "4", "8", "16", "32")
	b.maxAlign = app.NewChoice(f, "max-align", "",
		"bytes of the largest write to flash: 8, 16 or 32 (default: 8 or --align)", "", "8", "16", "32")
	f.VarP(&b.maxSectors, "max-sectors", "M", "`number` of sectors of the slot (default 128)")
	f.BoolVar(&b.overwriteOnly, "overwrite-only", false,
		"for a bootloader that overwrites, which needs less room in the slot")
	b.erased = app.NewChoice(f, "erased-val", "R", "value of erased flash: 0xff or 0", "0xff", "0")
}

// registerEncryption declares what becomes of the body.
func (b *buildFlags) registerEncryption(f *pflag.FlagSet) {
	f.StringVarP(&b.encrypt, "encrypt", "E", "",
		"encrypt the body for this public `key` (PEM) of the device: RSA-2048, ECDSA P-256 or X25519")
	b.encryptBits = app.NewChoice(f, "encrypt-keylen", "", "bits of the AES key: 128 or 256", "128", "256")
	b.hmac = app.NewChoice(f, "hmac-sha", "", "hash of the key exchange: auto, 256, or 512 with X25519",
		"auto", "256", "512")
	f.BoolVar(&b.clear, "clear", false,
		"with --encrypt: leave the body in plaintext, for the primary slot")
	f.BoolVar(&b.saveEntry, "save-enctlv", false,
		"for a bootloader that saves encrypted keys in a swap, which needs more room in the slot")
	b.compression = app.NewChoice(f, "compression", "",
		"store the body compressed, if that is smaller: disabled, lzma2 or lzma2armthumb",
		"disabled", "lzma2", "lzma2armthumb")
}

// encryption reads the device's key.
func (b *buildFlags) encryption() (*image.Encryption, error) {
	if b.encrypt == "" {
		return nil, nil
	}
	data, err := files.ReadInput("--encrypt", b.encrypt, trust.MaxKeyFile)
	if err != nil {
		return nil, err
	}
	to, err := key.ParseEncryption(data)
	if err != nil {
		return nil, trust.KeyError("--encrypt", b.encrypt, err)
	}
	return &image.Encryption{To: to, Bits: b.encryptBits.Int(), SHA512: b.hmac.Is("512"), Clear: b.clear,
		SaveEntry: b.saveEntry}, nil
}

// files are the files that the flags name.
func (b *buildFlags) files() []string {
	paths := []string{b.encrypt}
	for _, t := range b.tlvFiles {
		paths = append(paths, t.Text)
	}
	return paths
}

// options gives what the flags say to package image.
func (b *buildFlags) options() (image.BuildOptions, error) {
	if b.endian.Is("big") {
		return image.BuildOptions{}, failure.Usage("--endian big: images for big-endian devices are not supported; " +
			"imgtool itself cannot verify them")
	}
	o := image.BuildOptions{
		Version: b.version.Version, HeaderSize: b.headerSize.Int(), PadHeader: b.padHeader,
		LoadAddr: b.loadAddr.Value, ROMFixed: b.romFixed.Value, NonBootable: b.nonBootable,
		ErasedToZero: b.erased.Is("0"),
		BootRecord:   b.bootRecord, VendorUUID: b.vendor, ClassUUID: b.class,
		Sign:     b.signOptions(),
		SlotSize: b.slotSize.Int(), Pad: b.padding(), Align: b.align.Int(), MaxAlign: b.maxAlign.Int(),
		MaxSectors: b.maxSectors.Int(), OverwriteOnly: b.overwriteOnly,
		Compression: compressions[b.compression.String()],
	}
	switch { // package image would take a default
	case b.maxSectors.Given && b.maxSectors.Value == 0:
		return o, failure.Usage("--max-sectors 0: want 1 or more")
	case b.headerSize.Given && b.headerSize.Value == 0:
		return o, failure.Usage("--header-size 0: want 32 or more")
	}
	var err error
	if b.dependencies != "" {
		if o.Dependencies, err = parseDependencies(b.dependencies); err != nil {
			return o, failure.AsUsage(fmt.Errorf("--dependencies: %w", err))
		}
	}
	if o.SecurityCounter, err = b.securityCounter(); err != nil {
		return o, err
	}
	if o.Encrypt, err = b.encryption(); err != nil {
		return o, err
	}
	o.CustomTLVs, err = b.customTLVs()
	return o, err
}

// signOptions gives what the flags say about the signature.
func (b *buildFlags) signOptions() image.SignOptions {
	return image.SignOptions{Hash: hashTypes[b.sha.String()], Pure: b.pure, FullKey: b.keyFormat.Is("full"),
		PadSignature: b.padSignature}
}

var compressions = map[string]image.Compression{
	"lzma2": image.CompressLZMA2, "lzma2armthumb": image.CompressLZMA2ARMThumb,
}

var hashTypes = map[string]image.TLVType{"256": image.TLVSHA256, "384": image.TLVSHA384, "512": image.TLVSHA512}

func (b *buildFlags) padding() image.Pad {
	switch {
	case b.confirm:
		return image.PadConfirm
	case b.test:
		return image.PadTest
	case b.pad:
		return image.PadOnly
	}
	return image.NoPad
}

func (b *buildFlags) securityCounter() (*uint32, error) {
	if b.counter == "" {
		return nil, nil
	}
	var n app.Number
	if strings.EqualFold(b.counter, "auto") {
		n.Value = b.version.SecurityCounter()
	} else if err := n.Set(b.counter); err != nil {
		return nil, failure.Usage("--security-counter %q: %w, or auto", b.counter, err)
	}
	return &n.Value, nil
}

func (b *buildFlags) customTLVs() ([]image.TLV, error) {
	var list []image.TLV
	for _, t := range b.tlvs {
		value := []byte(t.Text)
		if digits, ok := strings.CutPrefix(t.Text, "0x"); ok {
			var err error
			if value, err = hex.DecodeString(digits); err != nil {
				return nil, failure.Usage("--custom-tlv %#x: the value is not an even number of hexadecimal digits",
					uint16(t.Tag))
			}
		}
		list = append(list, image.TLV{Type: t.Tag, Value: value})
	}
	for _, t := range b.tlvFiles {
		value, err := files.ReadInput("--custom-tlv-file", t.Text, math.MaxUint16)
		if err != nil {
			return nil, err
		}
		list = append(list, image.TLV{Type: t.Tag, Value: value})
	}
	return list, nil
}
