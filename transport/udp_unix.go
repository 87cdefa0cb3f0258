//go:build !windows

package transport

import (
	"errors"
	"syscall"
)

// isLoss tells whether an error of a UDP socket is about a datagram, not about the socket. Most are ICMP messages
// (RFC 1122, section 4.1.3.3); the device, its interface or the way there may be gone while it reboots. An address
// of our own that is gone is no loss: only a new socket helps.
func isLoss(err error) bool {
	for _, loss := range [...]error{
		syscall.ECONNREFUSED, syscall.ECONNRESET, syscall.EHOSTUNREACH, syscall.EHOSTDOWN,
		syscall.ENETUNREACH, syscall.ENETDOWN, syscall.ENOBUFS,
	} {
		if errors.Is(err, loss) {
			return true
		}
	}
	return false
}

// isRefused tells whether the host is there and nobody listens on the port.
func isRefused(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }
