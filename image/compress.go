package image

import (
	"bytes"
	"io"

	"github.com/ulikunitz/xz/lzma"
)

// The parameters that imgtool writes, and the largest dictionary that the
// bootloader of nRF Connect SDK has room for (MCUboot docs/compression_format.md;
// sdk-nrf, nrf_compress/src/lzma.c).
const (
	lzmaDictCode  = 0x0a // 128 KiB
	lzmaDictLimit = 128 << 10
	lzmaLC        = 3
	lzmaLP        = 1
	lzmaPB        = 2
	lzmaPropsCode = (lzmaPB*5+lzmaLP)*9 + lzmaLC
)

const lzmaHeaderSize = 2 // code of the dictionary size, code of lc, lp and pb

// compress returns a body as it stands in an image with FlagCompressedLZMA2: a
// header of two bytes and a raw LZMA2 stream. With thumb it goes through the ARM
// Thumb filter before. It works in memory of a few times the body; the same body
// gives the same bytes.
func compress(body []byte, thumb bool) ([]byte, error) {
	if thumb {
		body = bytes.Clone(body)
		armThumbEncode(body)
	}
	out := bytes.NewBuffer([]byte{lzmaDictCode, lzmaPropsCode})
	w, err := lzma.Writer2Config{
		Properties: &lzma.Properties{LC: lzmaLC, LP: lzmaLP, PB: lzmaPB},
		DictCap:    lzmaDictLimit,
	}.NewWriter2(out)
	if err != nil {
		return nil, fail(ErrBadCompression, "compression: %v", err)
	}
	if _, err := w.Write(body); err != nil {
		return nil, fail(ErrBadCompression, "compression: %v", err)
	}
	if err := w.Close(); err != nil {
		return nil, fail(ErrBadCompression, "compression: %v", err)
	}
	return out.Bytes(), nil
}

// decompress undoes compress. The stream must end where stored ends, and give
// size bytes; no more than that, and what grows with the stored bytes, is
// allocated.
func decompress(stored []byte, size int, thumb bool) ([]byte, error) {
	dict, err := lzmaDictSize(stored)
	if err != nil {
		return nil, err
	}
	rest := bytes.NewReader(stored[lzmaHeaderSize:])
	r, err := lzma.Reader2Config{DictCap: dict}.NewReader2(rest)
	if err != nil {
		return nil, fail(ErrBadCompression, "compressed body: %v", err)
	}
	var out bytes.Buffer
	out.Grow(min(size, 4*len(stored)) + bytes.MinRead)
	n, err := out.ReadFrom(io.LimitReader(r, int64(size)+1))
	switch {
	case err != nil:
		return nil, fail(ErrBadCompression, "compressed body: damaged after %d bytes: %v", n, err)
	case n > int64(size):
		return nil, fail(ErrDecompSizeMismatch,
			"compressed body: it is larger than the %d bytes that TLV DECOMP_SIZE says", size)
	case n < int64(size):
		return nil, fail(ErrDecompSizeMismatch, "compressed body: it has %d bytes, TLV DECOMP_SIZE says %d", n, size)
	case rest.Len() > 0:
		return nil, fail(ErrBadCompression, "compressed body: %d bytes follow the end of the stream", rest.Len())
	}
	body := out.Bytes()
	if thumb {
		armThumbDecode(body)
	}
	return body, nil
}

// lzmaDictSize reads the header of a compressed body. What it says about lc, lp
// and pb, the stream says again, and only that counts.
func lzmaDictSize(stored []byte) (int, error) {
	const largest = 40 // the .xz format, section 5.3.1
	if len(stored) < lzmaHeaderSize {
		return 0, fail(ErrBadCompression, "compressed body: %d bytes, too few for its header", len(stored))
	}
	code := int(stored[0])
	if code > largest {
		return 0, fail(ErrBadCompression, "compressed body: 0x%02x is no dictionary size", code)
	}
	size := uint64(2|code&1) << (code/2 + 11)
	if size > lzmaDictLimit {
		return 0, fail(ErrBadCompression, "compressed body: a dictionary of %d KiB, devices have room for %d KiB",
			size>>10, lzmaDictLimit>>10)
	}
	return int(size), nil
}
