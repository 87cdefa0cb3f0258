package image

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
)

// Image is a well-formed MCUboot image, made by [Parse] or [Load]. Its fields
// describe what was read; changing them changes no byte of the image. Reading it
// from several goroutines is safe.
type Image struct {
	Header      Header // at the beginning of the file
	Protected   []TLV  // in the order of the file; covered by the hash
	Unprotected []TLV  // in the order of the file

	raw    []byte
	body   int // offset of the body
	prot   int // offset behind the body, of the protected area if there is one
	hashed int // offset behind what the hash covers
	end    int // offset behind the unprotected area
}

// Parse reads an image from the bytes of a .bin file and keeps a copy of them.
// It checks everything that needs neither hash nor key: header, bounds, TLV
// areas, lengths and places of known entries, presence of a hash. Call
// [Image.CheckHash] or [Image.Verify] to know that the file is undamaged.
// Errors are of type [*Error].
func Parse(b []byte) (*Image, error) {
	m, err := measure(b)
	if err != nil {
		return nil, err
	}
	m.raw = bytes.Clone(b)
	return m.readEntries()
}

// adopt is Parse for bytes that nobody else will change.
func adopt(b []byte) (*Image, error) {
	m, err := measure(b)
	if err != nil {
		return nil, err
	}
	m.raw = b
	return m.readEntries()
}

// readEntries reads the TLV areas of a measured image.
func (m *Image) readEntries() (*Image, error) {
	var err error
	if m.Header.ProtectedSize > 0 {
		if m.Protected, err = protectedArea.entries(m.raw[m.prot:m.hashed], m.prot); err != nil {
			return nil, err
		}
	}
	if m.Unprotected, err = unprotectedArea.entries(m.raw[m.hashed:m.end], m.hashed); err != nil {
		return nil, err
	}
	if err := m.checkEntries(); err != nil {
		return nil, err
	}
	return m, nil
}

// Bytes returns the file exactly as it was read, including what follows the
// image. The slice is shared and must not be changed.
func (m *Image) Bytes() []byte { return m.raw }

// Plain returns the image without padding and swap trailer behind it. The slice
// is shared and must not be changed.
func (m *Image) Plain() []byte { return m.raw[:m.end:m.end] }

// Size returns the number of bytes up to the end of the TLVs. It is what has to
// fit a slot together with the bootloader's trailer; the file may be longer.
func (m *Image) Size() int { return m.end }

// Body returns the body as stored: firmware, possibly encrypted or compressed.
// The slice is shared and must not be changed.
func (m *Image) Body() []byte { return m.raw[m.body:m.prot:m.prot] }

// Signed returns the bytes that hash and signature cover: header with padding,
// body and protected TLVs. For an encrypted image they cover the plaintext
// instead. The slice is shared and must not be changed.
func (m *Image) Signed() []byte { return m.raw[:m.hashed:m.hashed] }

// Encrypted reports whether the header says that the body is encrypted.
func (m *Image) Encrypted() bool { return m.Header.Flags&encryptionFlags != 0 }

// Compressed reports whether the header says that the body is compressed.
func (m *Image) Compressed() bool { return m.Header.Flags&compressionFlags != 0 }

// FileHash returns the SHA-256 of the whole file as [Image.Bytes] gives it: the
// "sha" of an upload request. It is not the image hash.
func (m *Image) FileHash() [sha256.Size]byte { return sha256.Sum256(m.raw) }

const dependencySize = 4 + versionSize

// Dependency says that another image of the device must be present in at least
// some version (MCUboot image.h, struct image_dependency).
type Dependency struct {
	Image   uint8   // image number, from 0
	Minimum Version // the least version that will do
}

// Dependencies returns the dependencies in the order of the file.
func (m *Image) Dependencies() []Dependency {
	var list []Dependency
	for _, t := range m.Protected {
		if t.Type == TLVDependency && len(t.Value) == dependencySize {
			list = append(list, Dependency{Image: t.Value[0], Minimum: decodeVersion(t.Value[4:])})
		}
	}
	return list
}

// SecurityCounter returns the security counter, and false if the image has none.
// A device with rollback protection refuses a counter below its own.
func (m *Image) SecurityCounter() (uint32, bool) {
	for _, t := range m.Protected {
		if t.Type == TLVSecurityCounter && len(t.Value) == 4 {
			return binary.LittleEndian.Uint32(t.Value), true
		}
	}
	return 0, false
}

// measure reads the header and finds the bounds of everything, without a look
// at the entries.
func measure(b []byte) (*Image, error) {
	h, err := parseHeader(b)
	if err != nil {
		return nil, err
	}
	if need := uint64(h.HeaderSize) + uint64(h.ImageSize); need > uint64(len(b)) {
		return nil, fail(ErrTruncated, "image body: header and body take %d bytes, the file has %d: cut short",
			need, len(b))
	}
	m := &Image{Header: h, body: int(h.HeaderSize)}
	m.prot = m.body + int(h.ImageSize)
	m.hashed = m.prot
	if h.ProtectedSize > 0 {
		if m.hashed, err = protectedArea.end(b, m.prot); err != nil {
			return nil, err
		}
		if total := m.hashed - m.prot; total != int(h.ProtectedSize) {
			return nil, fail(ErrProtSizeMismatch, "protected TLVs: the area has %d bytes, the header says %d",
				total, h.ProtectedSize)
		}
	}
	m.end, err = unprotectedArea.end(b, m.hashed)
	return m, err
}
