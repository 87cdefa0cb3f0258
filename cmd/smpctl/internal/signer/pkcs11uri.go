package signer

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// pkcs11URI names a private key in a token (RFC 7512). Attributes that were not given are empty and match anything.
type pkcs11URI struct {
	token, manufacturer, serial, model string
	slotID                             *uint32
	object                             string
	id                                 []byte
	module                             string // path of the shared library
	pinSource                          string
}

// parsePKCS11URI reads a URI. It knows the attributes that choose a key for signing; any other is an error, as a URI
// with it may mean another key.
func parsePKCS11URI(text string) (pkcs11URI, error) {
	var u pkcs11URI
	if len(text) < len(pkcs11Scheme) || !strings.EqualFold(text[:len(pkcs11Scheme)], pkcs11Scheme) {
		return u, fmt.Errorf("PKCS#11 URI: does not begin with %s", pkcs11Scheme)
	}
	path, query, _ := strings.Cut(text[len(pkcs11Scheme):], "?")
	seen := map[string]bool{}
	for _, part := range append(attributes(path, ";"), attributes(query, "&")...) {
		name, value, ok := strings.Cut(part, "=")
		if !ok {
			return u, fmt.Errorf("PKCS#11 URI: %q: want NAME=VALUE", part)
		}
		if seen[name] {
			return u, fmt.Errorf("PKCS#11 URI: %s stands there twice", name)
		}
		seen[name] = true
		if name == "pin-value" { // not decoded, not shown
			return u, errors.New("PKCS#11 URI: pin-value: everyone on this machine can read a command line: use " +
				"pin-source=file:PATH or the variable SMPCTL_PIN")
		}
		plain, err := url.PathUnescape(value)
		if err != nil {
			return u, fmt.Errorf("PKCS#11 URI: %s: a percent sign without two hex digits: write %%25", name)
		}
		if err := u.set(name, plain); err != nil {
			return u, err
		}
	}
	return u, nil
}

// attributes splits a part of a URI. A separator too many does no harm.
func attributes(text, separator string) []string {
	var list []string
	for _, part := range strings.Split(text, separator) {
		if part != "" {
			list = append(list, part)
		}
	}
	return list
}

func (u *pkcs11URI) set(name, value string) error {
	switch name {
	case "token":
		u.token = value
	case "manufacturer":
		u.manufacturer = value
	case "serial":
		u.serial = value
	case "model":
		u.model = value
	case "object":
		u.object = value
	case "id":
		u.id = []byte(value)
	case "module-path":
		u.module = value
	case "pin-source":
		u.pinSource = value
	case "slot-id":
		n, err := strconv.ParseUint(value, 10, 32)
		if err != nil {
			return fmt.Errorf("PKCS#11 URI: slot-id %q: want a number", value)
		}
		id := uint32(n)
		u.slotID = &id
	case "type":
		if value != "private" {
			return fmt.Errorf("PKCS#11 URI: type %q: only a private key signs", value)
		}
	default:
		return fmt.Errorf("PKCS#11 URI: unknown attribute %q", name)
	}
	return nil
}

// String is the URI for people: what chooses the key, nothing about the PIN.
func (u pkcs11URI) String() string {
	var list []string
	add := func(name, value string) {
		if value != "" {
			list = append(list, name+"="+escapeAttribute(value))
		}
	}
	add("token", u.token)
	add("manufacturer", u.manufacturer)
	add("serial", u.serial)
	add("model", u.model)
	if u.slotID != nil {
		add("slot-id", strconv.FormatUint(uint64(*u.slotID), 10))
	}
	add("object", u.object)
	if len(u.id) > 0 {
		digits := hex.EncodeToString(u.id)
		var id strings.Builder
		for i := 0; i < len(digits); i += 2 {
			id.WriteString("%" + digits[i:i+2])
		}
		list = append(list, "id="+id.String())
	}
	return pkcs11Scheme + strings.Join(list, ";")
}

// escapeAttribute escapes what would end an attribute, and what the shell or a person could stumble over.
func escapeAttribute(value string) string {
	var b strings.Builder
	for i := range len(value) {
		if c := value[i]; c <= ' ' || c >= 0x7f || strings.IndexByte(`;?&%#"'\/`, c) >= 0 {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}
