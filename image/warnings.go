package image

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"slices"
)

// Warnings returns what is legal but worth a word to a person, one sentence
// each: what many bootloaders refuse, a key that everybody has, bytes behind the
// image.
func (m *Image) Warnings() []string {
	var list []string
	for _, t := range m.Unprotected {
		if !t.Type.allowedUnprotected() {
			list = append(list,
				fmt.Sprintf("TLV %s stands outside the signed region: bootloaders with a TLV allow list, Zephyr's "+
					"default, refuse the image", t.Type))
		}
	}
	if n := len(m.Protected); n > 0 && len(m.Protected[n-1].Value) == 0 {
		// MCUboot tlv.c, bootutil_tlv_iter_is_prot: where its value would begin, the protected area has ended.
		list = append(list, fmt.Sprintf("TLV %s is the last protected one and empty: bootloaders with a TLV allow "+
			"list, Zephyr's default, take it for unprotected and refuse the image",
			m.Protected[n-1].Type))
	}
	for _, s := range m.Signatures() {
		if name := sampleKey(s.Key); name != "" {
			list = append(list,
				fmt.Sprintf("signed with MCUboot's sample key %s, whose private half is public: anyone can sign for "+
					"this device", name))
		}
	}
	if _, ok := m.protected(TLVBootRecord); ok {
		if _, ok := m.BootRecord(); !ok {
			list = append(list, "TLV BOOT_RECORD is not the record of five fields that a measured boot reports")
		}
	}
	if padding := m.raw[headerSize:m.body]; m.Compressed() && len(bytes.Trim(padding, "\xff")) > 0 {
		// sdk-mcuboot, boot/zephyr/decompression.c: bootutil_img_hash_decompress.
		list = append(list, "compressed, with header padding other than 0xff: nRF Connect SDK's bootloader rebuilds "+
			"the header with erased flash and then refuses the image, so sign it with imgtool's --pad-header")
	}
	return append(list, m.trailingWarnings()...)
}

func (m *Image) trailingWarnings() []string {
	behind := m.raw[m.end:]
	if len(behind) == 0 {
		return nil
	}
	size := fmt.Sprintf("%d bytes follow the image of %d bytes", len(behind), m.end)
	t, padded := m.Trailer()
	switch {
	case padded && t.ImageOK:
		return []string{size + ": padded, with a swap trailer that makes the update permanent without a trial"}
	case padded:
		return []string{size + ": padded, with a swap trailer that starts a trial at the next reset"}
	case len(bytes.Trim(behind, "\xff")) == 0:
		return []string{size + ": erased flash (0xff)"}
	}
	return []string{size + ": no padding and no swap trailer"}
}

// sampleKey returns the file name of the published key that an entry stands for,
// or "".
func sampleKey(t TLV) string {
	hash := t.Value
	if t.Type == TLVPubKey {
		hash = TLVSHA256.sum(t.Value)
	}
	text := hex.EncodeToString(hash)
	for name, hashes := range sampleKeys {
		if slices.Contains(hashes, text) {
			return name
		}
	}
	return ""
}

// sampleKeys are the key hashes of the example keys in the root folder of the
// MCUboot repository, by SHA-256 and by the hash that goes with images of the
// larger kinds. The keys are public, and build systems fall back to them.
var sampleKeys = map[string][]string{
	"root-rsa-2048.pem": {
		"fc5701dc6135e1323847bdc40f04d2e5bee5833b23c29f93593d00018cfa9994",
	},
	"root-rsa-3072.pem": {
		"449793fb65cd7698753d5b3f35fab15f1e3a45111ff24e1d46741de5ae12d59e",
	},
	"root-ec-p256.pem": {
		"e30466f6b8470c1f29070b17f1e2d3e94d445e3f608087fdc711e4382bb538b6",
	},
	"root-ec-p384.pem": {
		"6bcd1e16d80e5fe13a5307e6f1de8344c7e50e537d9962ce35ef6db5e642fae8",
		"85b7bd5f5dff9a03a99927adaf6ca6febde822c1a480928324a8e60323715c5779461c496a95aee8c4f90b99779f848a",
	},
	"root-ed25519.pem": {
		"c1907fa4eac7fae3840a78902b6f0710b037e9968e5c6274a12a28790c7d4e3c",
		"e3e129b49f1218e18e4614acb2523389c75852ebb98b4d2c6171a2fc65706ba3d1ddf85f52e71450c3e572e624695faf" +
			"d41ce4d9354d6c2b19f7d6001a6ae8b0",
	},
	"root-ed25519-2.pem": {
		"6754edab1e29affef4a05935adecbeb1a7b8b62397b31e39a61b5bfcaafd63af",
		"e11ed22583de283392266b917bd82e88486edf47bc58c7ce8e42f9fb90e1daa900e72f172e4bd4fb19fc1870638e3a89" +
			"c3f033ef4db6f6235d02ee623b4b2924",
	},
	"root-ed25519-unknown.pem": {
		"b1d87d60173352b9a4808979790fc699fb4c4f83b49cf1970edd96ff4adc36a6",
		"37491781699741ec96e7faaf03c04e70f135f2f8b1f09d5a2a53667115052331e6a8abd3310476e7fbedf676feb9e8bc" +
			"ff7ff5366e8470714c0ef4c582941881",
	},
}
