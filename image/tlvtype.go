package image

import "fmt"

// TLVType says what a [TLV] holds (MCUboot image.h, IMAGE_TLV_*). Types whose
// low byte is 0xa0 or more belong to vendors.
type TLVType uint16

// Types defined by MCUboot, with "protected" where the entry must stand in the
// protected area.
const (
	TLVKeyHash         TLVType = 0x01 // hash of the signing public key
	TLVPubKey          TLVType = 0x02 // the signing public key itself
	TLVSHA256          TLVType = 0x10 // image hash
	TLVSHA384          TLVType = 0x11 // image hash
	TLVSHA512          TLVType = 0x12 // image hash
	TLVRSA2048PSS      TLVType = 0x20 // signature
	TLVECDSA224        TLVType = 0x21 // signature, no longer supported
	TLVECDSASig        TLVType = 0x22 // signature, P-256 or P-384 in DER
	TLVRSA3072PSS      TLVType = 0x23 // signature
	TLVEd25519         TLVType = 0x24 // signature
	TLVSigPure         TLVType = 0x25 // 01: the signature covers the image, not its hash
	TLVEncRSA2048      TLVType = 0x30 // AES key, RSA-OAEP
	TLVEncKW           TLVType = 0x31 // AES key, AES key wrap
	TLVEncEC256        TLVType = 0x32 // AES key, ECIES P-256
	TLVEncX25519       TLVType = 0x33 // AES key, ECIES X25519
	TLVEncX25519SHA512 TLVType = 0x34 // AES key, ECIES X25519 with SHA-512
	TLVDependency      TLVType = 0x40 // protected; see Image.Dependencies
	TLVSecurityCounter TLVType = 0x50 // protected; see Image.SecurityCounter
	TLVBootRecord      TLVType = 0x60 // protected; CBOR for measured boot
	TLVDecompSize      TLVType = 0x70 // protected; size of the decompressed body
	TLVDecompSHA       TLVType = 0x71 // protected; hash of the image before compression
	TLVDecompSignature TLVType = 0x72 // protected; signature of the image before compression
	TLVCompDecSize     TLVType = 0x73 // protected; size of the compressed body before encryption
	TLVUUIDVendor      TLVType = 0x74 // protected; vendor UUID
	TLVUUIDClass       TLVType = 0x75 // protected; device class UUID
)

// String returns MCUboot's name without the IMAGE_TLV_ prefix, or the number of a
// vendor's or unknown type: "0x00a0".
func (t TLVType) String() string {
	if name, known := tlvNames[t]; known {
		return name
	}
	return fmt.Sprintf("0x%04x", uint16(t))
}

var tlvNames = map[TLVType]string{
	TLVKeyHash:         "KEYHASH",
	TLVPubKey:          "PUBKEY",
	TLVSHA256:          "SHA256",
	TLVSHA384:          "SHA384",
	TLVSHA512:          "SHA512",
	TLVRSA2048PSS:      "RSA2048_PSS",
	TLVECDSA224:        "ECDSA224",
	TLVECDSASig:        "ECDSA_SIG",
	TLVRSA3072PSS:      "RSA3072_PSS",
	TLVEd25519:         "ED25519",
	TLVSigPure:         "SIG_PURE",
	TLVEncRSA2048:      "ENC_RSA2048",
	TLVEncKW:           "ENC_KW",
	TLVEncEC256:        "ENC_EC256",
	TLVEncX25519:       "ENC_X25519",
	TLVEncX25519SHA512: "ENC_X25519_SHA512",
	TLVDependency:      "DEPENDENCY",
	TLVSecurityCounter: "SEC_CNT",
	TLVBootRecord:      "BOOT_RECORD",
	TLVDecompSize:      "DECOMP_SIZE",
	TLVDecompSHA:       "DECOMP_SHA",
	TLVDecompSignature: "DECOMP_SIGNATURE",
	TLVCompDecSize:     "COMP_DEC_SIZE",
	TLVUUIDVendor:      "UUID_VID",
	TLVUUIDClass:       "UUID_CID",
}

// takes reports whether a value of n bytes is possible. Types without a fixed
// length take any.
func (t TLVType) takes(n int) bool {
	switch t {
	case TLVSHA256:
		return n == 32
	case TLVSHA384:
		return n == 48
	case TLVSHA512:
		return n == 64
	case TLVKeyHash:
		return n == 32 || n == 48 || n == 64
	case TLVRSA2048PSS:
		return n == 256
	case TLVRSA3072PSS:
		return n == 384
	case TLVECDSASig:
		// Two one-byte integers at the least, two P-384 ones at the most.
		return n >= 8 && n <= 104
	case TLVEd25519:
		return n == 64
	case TLVSigPure:
		return n == 1
	case TLVEncRSA2048, TLVEncKW, TLVEncEC256, TLVEncX25519, TLVEncX25519SHA512:
		return n == t.encKeyLength(FlagEncryptedAES128) || n == t.encKeyLength(FlagEncryptedAES256)
	case TLVDependency:
		return n == dependencySize
	case TLVSecurityCounter, TLVDecompSize, TLVCompDecSize:
		return n == 4
	case TLVUUIDVendor, TLVUUIDClass:
		return n == 16
	}
	return true
}

// encKeyLength is the length of an encryption key entry for a 128 or 256 bit
// AES key (MCUboot enc_key_public.h).
func (t TLVType) encKeyLength(f Flags) int {
	wide := f&FlagEncryptedAES256 != 0
	pick := func(narrow, broad int) int {
		if wide {
			return broad
		}
		return narrow
	}
	switch t {
	case TLVEncKW:
		return pick(24, 40)
	case TLVEncEC256:
		return pick(113, 129)
	case TLVEncX25519:
		return pick(80, 96)
	case TLVEncX25519SHA512:
		return pick(112, 128)
	}
	return 256 // one RSA-2048 block, whatever is inside
}

func (t TLVType) isHash() bool { return t == TLVSHA256 || t == TLVSHA384 || t == TLVSHA512 }

func (t TLVType) isSignature() bool { return t >= TLVRSA2048PSS && t <= TLVEd25519 }

func (t TLVType) isEncKey() bool { return t >= TLVEncRSA2048 && t <= TLVEncX25519SHA512 }

// mustBeProtected reports whether a bootloader or host trusts the entry, so that
// outside the signed region it could be forged.
func (t TLVType) mustBeProtected() bool {
	switch t {
	case TLVDependency, TLVSecurityCounter, TLVBootRecord, TLVDecompSize, TLVDecompSHA, TLVDecompSignature,
		TLVCompDecSize, TLVUUIDVendor, TLVUUIDClass:
		return true
	}
	return false
}

// allowedUnprotected is the list of the bootloader (MCUboot image_validate.c,
// allowed_unprot_tlvs), on by default in Zephyr.
func (t TLVType) allowedUnprotected() bool {
	return t == TLVKeyHash || t == TLVPubKey || t.isHash() || t.isSignature() || t == TLVSigPure || t.isEncKey()
}
