package image

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // RFC 9562: a name-based UUID of version 5 is made with SHA-1
	"encoding/hex"
	"strings"
	"unicode"
)

type uuid [16]byte

// dnsNamespace is the name space of domain names (RFC 9562, section 6.6).
var dnsNamespace = uuid{0x6b, 0xa7, 0xb8, 0x10, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8}

// uuids returns the entries of vendor and class. The name of a class counts
// within its vendor.
func (o BuildOptions) uuids() ([]TLV, error) {
	var list []TLV
	var space *uuid
	if o.VendorUUID != "" {
		id, err := parseUUID("vendor", o.VendorUUID, &dnsNamespace)
		if err != nil {
			return nil, err
		}
		space = &id
		list = append(list, TLV{TLVUUIDVendor, id[:]})
	}
	if o.ClassUUID != "" {
		id, err := parseUUID("class", o.ClassUUID, space)
		if err != nil {
			return nil, err
		}
		list = append(list, TLV{TLVUUIDClass, id[:]})
	}
	return list, nil
}

// parseUUID reads 32 hexadecimal digits, with dashes or without, or makes a UUID
// of any other text in the name space.
func parseUUID(what, text string, space *uuid) (uuid, error) {
	digits := text
	if len(text) == 36 && text[8] == '-' && text[13] == '-' && text[18] == '-' && text[23] == '-' {
		digits = strings.ReplaceAll(text, "-", "")
	}
	if b, err := hex.DecodeString(digits); err == nil && len(b) == len(uuid{}) {
		return uuid(b), nil
	}
	switch {
	case strings.ContainsFunc(text, func(r rune) bool { return r == unicode.ReplacementChar || !unicode.IsPrint(r) }):
		return uuid{}, fail(ErrBadOption, "%s %.40q: neither a UUID nor a name of printable characters", what, text)
	case space == nil:
		return uuid{}, fail(ErrBadOption, "%s %.40q: a name needs a vendor in which it counts; a UUID does not",
			what, text)
	}
	return space.named(text), nil
}

// named makes the UUID of a name (RFC 9562, section 5.5, version 5).
func (space uuid) named(name string) uuid {
	sum := sha1.Sum(append(bytes.Clone(space[:]), name...)) //nolint:gosec // see above
	id := uuid(sum[:16])
	id[6] = id[6]&0x0f | 0x50
	id[8] = id[8]&0x3f | 0x80
	return id
}
