package image

import (
	"encoding/binary"
	"slices"
)

// maxDecompressed bounds what a few compressed bytes may become. Slots that
// devices decompress into have 1 or 2 MiB.
const maxDecompressed = 16 << 20

// Decompress returns the image that the bootloader writes into the primary slot:
// body, header and entries as they were before compression, with the hash that
// the compressed image announced, which has to fit (sdk-mcuboot,
// boot/zephyr/decompression.c: bootutil_img_hash_decompress,
// boot_copy_unprotected_tlvs). [Image.Verify] of the result checks its signature;
// Verify of a compressed image does all of that by itself.
//
// An encrypted image has to be decrypted before, see [Image.Decrypt].
func (m *Image) Decompress() (*Image, error) {
	if err := m.checkCompression(); err != nil {
		return nil, err
	}
	stored, err := m.compressedBody()
	if err != nil {
		return nil, err
	}
	size, err := m.decompSize()
	if err != nil {
		return nil, err
	}
	hash, err := m.decompHash()
	if err != nil {
		return nil, err
	}
	body, err := decompress(stored, size, m.Header.Flags&FlagCompressedARMThumb != 0)
	if err != nil {
		return nil, err
	}
	plain, err := m.rebuild(body, hash)
	if err != nil {
		return nil, err
	}
	if plain.CheckHash() != nil {
		return nil, fail(ErrDecompHashMismatch,
			"compressed body: it decompresses to an image with another hash than TLV DECOMP_SHA says")
	}
	return plain, nil
}

// checkCompression refuses images that no bootloader decompresses.
func (m *Image) checkCompression() error {
	switch flags := m.Header.Flags & compressionFlags; {
	case flags == 0:
		return fail(ErrNotCompressed, "image header: no compression flag, there is nothing to decompress")
	case flags&FlagCompressedLZMA2 == 0:
		return fail(ErrCompressionUnknown, "image header: flags %s, bootloaders decompress LZMA2 only", flags)
	}
	return nil
}

// compressedBody returns the compressed bytes: the body, or what it was before it
// was padded for encryption.
func (m *Image) compressedBody() ([]byte, error) {
	if !m.Encrypted() {
		return m.Body(), nil
	}
	if err := m.CheckHash(); err != nil {
		return nil, err
	}
	size, ok := m.decompNumber(TLVCompDecSize)
	switch {
	case !ok:
		return nil, decompMissing(TLVCompDecSize)
	case uint64(size) > uint64(len(m.Body())):
		return nil, fail(ErrDecompSizeMismatch, "compressed body: TLV %s says %d bytes, the body has %d",
			TLVCompDecSize, size, len(m.Body()))
	}
	return m.Body()[:size], nil
}

func (m *Image) decompSize() (int, error) {
	size, ok := m.decompNumber(TLVDecompSize)
	switch {
	case !ok:
		return 0, decompMissing(TLVDecompSize)
	case size > maxDecompressed:
		return 0, fail(ErrDecompTooLarge,
			"compressed body: TLV %s says %d bytes, more than the %d MiB that any slot has",
			TLVDecompSize, size, maxDecompressed>>20)
	}
	return int(size), nil
}

func (m *Image) decompNumber(typ TLVType) (uint32, bool) {
	t, ok := m.protected(typ)
	if !ok {
		return 0, false
	}
	return binary.LittleEndian.Uint32(t.Value), true
}

// decompHash returns the hash entry of the decompressed image. Its type is that of
// an image hash with the same length.
func (m *Image) decompHash() (TLV, error) {
	t, ok := m.protected(TLVDecompSHA)
	if !ok {
		return TLV{}, decompMissing(TLVDecompSHA)
	}
	for _, own := range m.Unprotected {
		if own.Type.isHash() && len(own.Value) == len(t.Value) {
			return TLV{own.Type, t.Value}, nil
		}
	}
	return TLV{}, fail(ErrBadHashLength, "TLV %s: %d bytes, the image hash is of type %s",
		t.Type, len(t.Value), m.HashType())
}

// protected returns the first protected entry of a type.
func (m *Image) protected(typ TLVType) (TLV, bool) {
	i := slices.IndexFunc(m.Protected, func(t TLV) bool { return t.Type == typ })
	if i < 0 {
		return TLV{}, false
	}
	return m.Protected[i], true
}

func decompMissing(typ TLVType) error {
	return fail(ErrDecompMissing, "compressed image: TLV %s is missing, without which no bootloader decompresses it",
		typ)
}

// rebuild puts the image of before the compression together.
func (m *Image) rebuild(body []byte, hash TLV) (*Image, error) {
	h := m.Header
	h.Flags &^= compressionFlags
	h.ImageSize = uint32(len(body))
	var prot []byte
	var err error
	if entries := m.plainProtected(); len(entries) > 0 {
		if prot, err = protectedArea.append(nil, entries); err != nil {
			return nil, err
		}
	}
	h.ProtectedSize = uint16(len(prot))
	unprot, err := unprotectedArea.append(nil, m.plainUnprotected(hash))
	if err != nil {
		return nil, err
	}
	padding := m.raw[headerSize:m.body]
	return adopt(slices.Concat(h.Append(nil), padding, body, prot, unprot))
}

// plainProtected returns the protected entries without those on decompression.
func (m *Image) plainProtected() []TLV {
	return slices.DeleteFunc(slices.Clone(m.Protected), func(t TLV) bool {
		return t.Type >= TLVDecompSize && t.Type <= TLVCompDecSize
	})
}

// plainUnprotected returns the unprotected entries with the hash and signature of
// the decompressed image in place of those of the compressed one.
func (m *Image) plainUnprotected(hash TLV) []TLV {
	sig, signed := m.protected(TLVDecompSignature)
	var list []TLV
	for _, t := range m.Unprotected {
		switch {
		case t.Type == hash.Type:
			list = append(list, hash)
		case t.Type.isHash():
		case !t.Type.isSignature():
			list = append(list, t)
		case signed && t.Type.takes(len(sig.Value)):
			list = append(list, TLV{t.Type, sig.Value})
		}
	}
	return list
}

// decompressesTo checks a compressed image against a key as the bootloader does
// before it decompresses for good.
func (m *Image) decompressesTo(k key) error {
	plain, err := m.Decompress()
	if err != nil {
		return err
	}
	if err := plain.checkSignatures(k, false); err != nil {
		return fail(ErrDecompSignature, "decompressed image: %v", err)
	}
	return nil
}
