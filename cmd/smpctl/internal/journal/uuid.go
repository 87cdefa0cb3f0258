package journal

import (
	"encoding/binary"
	"encoding/hex"
	"io"
	"time"
)

// newID is a UUID version 7 (RFC 9562, 5.7): 48 bits of time in milliseconds, then 74 random ones.
func newID(now time.Time, random io.Reader) (string, error) {
	var u [16]byte
	if _, err := io.ReadFull(random, u[6:]); err != nil {
		return "", err
	}
	var ms [8]byte
	binary.BigEndian.PutUint64(ms[:], uint64(now.UnixMilli()))
	copy(u[:6], ms[2:])
	u[6] = u[6]&0x0f | 0x70 // version
	u[8] = u[8]&0x3f | 0x80 // variant
	h := hex.EncodeToString(u[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:], nil
}
