package inspect

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/smpctl/smpctl/image"
)

// imageDetails are the parts of an inspection that few images have.
type imageDetails struct {
	Encryption  *encryptionEntry  `json:"encryption,omitempty"`  // absent if it is not encrypted
	Compression *compressionEntry `json:"compression,omitempty"` // absent if it is not compressed
	BootRecord  *bootRecordEntry  `json:"boot_record,omitempty"` // for measured boot
	VendorUUID  string            `json:"vendor_uuid,omitempty"` // vendor that the bootloader must be of
	ClassUUID   string            `json:"class_uuid,omitempty"`  // class of devices that the bootloader must be of
}

// encryptionEntry is how an image is encrypted.
type encryptionEntry struct {
	Scheme  string `json:"scheme"`   // how the AES key travels
	AESBits int    `json:"aes_bits"` // of the AES key
	Plain   bool   `json:"plain"`    // flagged, but the body is plaintext
}

// compressionEntry is how an image is compressed, and what becomes of it.
type compressionEntry struct {
	Format   string `json:"format"`          // LZMA2, LZMA1 or none
	ARMThumb bool   `json:"arm_thumb"`       // with the filter for ARM Thumb code
	Size     *int64 `json:"bytes,omitempty"` // of the body once it is decompressed
	Hash     string `json:"hash,omitempty"`  // of the decompressed image
	Check    string `json:"check"`           // ok, failed, or unchecked: the image is damaged or encrypted
}

// The values of compression.check.
const (
	decompFits      = "ok"
	decompFails     = "failed"
	decompUnchecked = "unchecked" // the image is damaged or encrypted
)

// bootRecordEntry is a record for measured boot, in the image's words.
type bootRecordEntry struct {
	SoftwareType string `json:"software_type"` // such as NSPE
	Version      string `json:"version"`
	SignerID     string `json:"signer_id"` // hash of the signing key, in hexadecimal digits
	HashType     string `json:"hash_type"`
	Measurement  string `json:"measurement"` // in hexadecimal digits
}

func newImageDetails(img *image.Image) imageDetails {
	d := imageDetails{
		VendorUUID: uuidText(protectedEntry(img, image.TLVUUIDVendor)),
		ClassUUID:  uuidText(protectedEntry(img, image.TLVUUIDClass)),
	}
	if r, ok := img.BootRecord(); ok {
		d.BootRecord = &bootRecordEntry{r.SoftwareType, r.Version, hex.EncodeToString(r.SignerID), r.HashType,
			hex.EncodeToString(r.Measurement)}
	}
	if img.Encrypted() {
		d.Encryption = newEncryptionEntry(img)
	}
	if img.Compressed() {
		d.Compression = newCompressionEntry(img)
	}
	return d
}

func newEncryptionEntry(img *image.Image) *encryptionEntry {
	e := &encryptionEntry{AESBits: 128, Plain: img.CheckHash() == nil}
	if img.Header.Flags&image.FlagEncryptedAES256 != 0 {
		e.AESBits = 256
	}
	for _, t := range slices.Concat(img.Protected, img.Unprotected) {
		if t.Type >= image.TLVEncRSA2048 && t.Type <= image.TLVEncX25519SHA512 {
			e.Scheme = t.Type.String()
		}
	}
	return e
}

func newCompressionEntry(img *image.Image) *compressionEntry {
	flags := img.Header.Flags
	e := &compressionEntry{
		Format: "LZMA2", ARMThumb: flags&image.FlagCompressedARMThumb != 0, Check: decompUnchecked,
		Hash: hex.EncodeToString(protectedEntry(img, image.TLVDecompSHA)),
	}
	switch {
	case flags&image.FlagCompressedLZMA1 != 0:
		e.Format = "LZMA1"
	case flags&image.FlagCompressedLZMA2 == 0:
		e.Format = "none"
	}
	if b := protectedEntry(img, image.TLVDecompSize); len(b) == 4 {
		size := int64(binary.LittleEndian.Uint32(b))
		e.Size = &size
	}
	return e
}

// checkDecompressed finds out what a compressed image becomes. The image must have passed its own check.
func (d *imageDetails) checkDecompressed(img *image.Image) error {
	if d.Compression == nil {
		return nil
	}
	if _, err := img.Decompress(); err != nil {
		d.Compression.Check = decompFails
		return err
	}
	d.Compression.Check = decompFits
	return nil
}

// protectedEntry is the value of the first protected entry of a type, nil if there is none.
func protectedEntry(img *image.Image, typ image.TLVType) []byte {
	for _, t := range img.Protected {
		if t.Type == typ {
			return t.Value
		}
	}
	return nil
}

// uuidText writes a UUID as RFC 9562 does.
func uuidText(b []byte) string {
	if len(b) != 16 {
		return ""
	}
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// text prints what there is.
func (d imageDetails) text(line func(name, format string, args ...any)) {
	if e := d.Encryption; e != nil {
		line("encryption", "AES-%d, key in %s%s",
			e.AESBits, e.Scheme, map[bool]string{true: ", but the body is in plaintext"}[e.Plain])
	}
	if c := d.Compression; c != nil {
		line("compression", "%s", c.describe())
		if c.Hash != "" {
			line("", "hash once decompressed %s", c.Hash)
		}
	}
	if d.VendorUUID != "" {
		line("vendor UUID", "%s", d.VendorUUID)
	}
	if d.ClassUUID != "" {
		line("class UUID", "%s", d.ClassUUID)
	}
	if b := d.BootRecord; b != nil {
		line("boot record", "software type %s, version %s, %s", b.SoftwareType, b.Version, b.HashType)
		line("", "signer id %s", b.SignerID)
	}
}

func (c *compressionEntry) describe() string {
	text := c.Format
	if c.ARMThumb {
		text += ", ARM Thumb filter"
	}
	if c.Size != nil {
		text += fmt.Sprintf(", %d bytes once decompressed", *c.Size)
	}
	switch c.Check {
	case decompFits:
		text += ": fits"
	case decompFails:
		text += ": DOES NOT FIT"
	default:
		text += ": not checked"
	}
	return text
}
