package image

import "fmt"

// Error says why bytes are not a usable image, version or Intel HEX file, or why a
// key is none. It is the only type of error that this package and those on top of
// it return, but for those of a caller's function, which come back as they are.
type Error struct {
	Kind   Kind   // what is wrong, for programs
	Detail string // what is wrong, for people: one line, without a file name
}

// Error returns the detail.
func (e *Error) Error() string { return e.Detail }

// Unwrap returns the kind, so that errors.Is(err, ErrHashMismatch) works.
func (e *Error) Unwrap() error { return e.Kind }

// Kind is the machine-readable reason of an [Error], a short stable label such
// as "hash-mismatch". Kinds never travel alone: this package returns them inside
// an *Error.
type Kind string

// Error returns the label.
func (k Kind) Error() string { return string(k) }

// Faults of the file's structure, found by [Parse].
const (
	ErrTruncated                Kind = "truncated"                   // the file ends inside header, body or TLV area
	ErrBadMagic                 Kind = "bad-magic"                   // not an MCUboot image; the detail says what it is
	ErrBadHeaderSize            Kind = "bad-header-size"             // header size below 32
	ErrSizeOverflow             Kind = "size-overflow"               // header, body and protected size exceed 32 bits
	ErrConflictingFlags         Kind = "conflicting-flags"           // header flags that exclude each other
	ErrBadTLVMagic              Kind = "bad-tlv-magic"               // no TLV area where the header says
	ErrBadTLVSize               Kind = "bad-tlv-size"                // TLV area smaller than its own 4-byte header
	ErrTLVAreaOverrun           Kind = "tlv-area-overrun"            // TLV area longer than the file
	ErrTLVHeaderOverrun         Kind = "tlv-header-overrun"          // stray bytes behind the last entry of an area
	ErrTLVLengthOverrun         Kind = "tlv-length-overrun"          // an entry longer than its area
	ErrProtSizeMismatch         Kind = "prot-size-mismatch"          // header and protected area disagree on its size
	ErrProtTLVMissing           Kind = "prot-tlv-missing"            // no protected area, which the header announces
	ErrBadTLVLength             Kind = "bad-tlv-length"              // an impossible length of an entry of a known type
	ErrBadHashLength            Kind = "bad-hash-length"             // the same, of a hash
	ErrBadKeyHashLength         Kind = "bad-keyhash-length"          // the same, of a key hash (also from Verify)
	ErrBadSignatureLength       Kind = "bad-signature-length"        // the same, of a signature
	ErrBadEncTLVLength          Kind = "bad-enc-tlv-length"          // the same, of an encryption key
	ErrUnprotectedTLVNotAllowed Kind = "unprotected-tlv-not-allowed" // an entry that must be in the signed region
	ErrNoHash                   Kind = "no-hash"                     // no hash entry
	ErrEncryptedWithoutKey      Kind = "encrypted-without-key"       // flagged as encrypted without an AES key
	ErrEncKeyConflict           Kind = "enc-key-conflict"            // an encryption key in a plain image, or several
)

// Outcomes of [Image.CheckHash] and [Image.Verify].
const (
	ErrHashMismatch          Kind = "hash-mismatch"           // stored and computed hash differ: the file is damaged
	ErrEncrypted             Kind = "encrypted"               // cannot be checked without the decryption key
	ErrHashSignatureMismatch Kind = "hash-signature-mismatch" // the hash is not of the type that goes with the key
	ErrNoSignature           Kind = "no-signature"            // the image is unsigned
	ErrNoSignatureForKey     Kind = "no-signature-for-key"    // signed, but not with this kind of key
	ErrNoKeyHash             Kind = "no-keyhash"              // a signature without an entry that names its key
	ErrKeyHashMismatch       Kind = "keyhash-mismatch"        // signed with another key
	ErrKeyHashOrder          Kind = "keyhash-order"           // the key is named behind the signature, not before
	ErrSignatureMalformed    Kind = "signature-malformed"     // an ECDSA signature that is not DER
	ErrSignatureInvalid      Kind = "signature-invalid"       // the signature does not fit image and key
)

// Outcomes of [Unsigned.Attach], next to [ErrSignatureInvalid].
const (
	ErrSignatureEmpty  Kind = "signature-empty"  // no bytes at all
	ErrSignatureFormat Kind = "signature-format" // no known encoding of a signature by this kind of key, or cut short
)

// Outcomes of [Build], [Resign] and signing.
const (
	ErrBadOption     Kind = "bad-option" // options that contradict each other, the key or the input
	ErrTooLarge      Kind = "too-large"  // more than the slot or the format can hold
	ErrSigner        Kind = "signer"     // the signer made no signature
	ErrNotResignable Kind = "not-again"  // an image whose signature cannot be replaced
)

// Outcomes of [Image.Decrypt].
const (
	ErrNotEncrypted       Kind = "not-encrypted"        // the header has no encryption flag
	ErrWrongDecryptionKey Kind = "wrong-decryption-key" // a key of another kind than the image is encrypted for
	ErrDecryption         Kind = "decryption"           // a key of the right kind, but not the one
)

// Outcomes of [Image.Decompress]; [Image.Verify] has them too.
const (
	ErrNotCompressed      Kind = "not-compressed"       // the header has no compression flag
	ErrCompressionUnknown Kind = "compression-unknown"  // compression flags that no bootloader decompresses
	ErrDecompMissing      Kind = "decomp-tlv-missing"   // an entry about the decompressed image is missing
	ErrDecompTooLarge     Kind = "decomp-too-large"     // larger than any slot, so it is not tried
	ErrBadCompression     Kind = "bad-compression"      // not a stream that decompresses
	ErrDecompSizeMismatch Kind = "decomp-size-mismatch" // it decompresses to another size than announced
	ErrDecompHashMismatch Kind = "decomp-hash-mismatch" // it decompresses to something else than announced
	ErrDecompSignature    Kind = "decomp-signature"     // the decompressed image is not signed by the key (from Verify)
)

// Faults of other inputs.
const (
	ErrBadHex     Kind = "bad-hex"     // not a valid Intel HEX file
	ErrBadVersion Kind = "bad-version" // not a version
	ErrBadKey     Kind = "bad-key"     // not a key that MCUboot can use
	ErrWeakKey    Kind = "weak-key"    // a public key with which a signature, or encryption, proves or hides nothing
)

func fail(k Kind, format string, args ...any) error {
	return &Error{Kind: k, Detail: fmt.Sprintf(format, args...)}
}
