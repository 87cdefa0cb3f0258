package transport

import (
	"errors"

	"golang.org/x/sys/windows"
)

// isLoss tells whether an error of a UDP socket is about a datagram, not about the socket. Most are ICMP messages
// (RFC 1122, section 4.1.3.3); the device, its interface or the way there may be gone while it reboots. An address
// of our own that is gone is no loss: only a new socket helps.
func isLoss(err error) bool {
	for _, loss := range [...]error{
		windows.WSAECONNREFUSED, windows.WSAECONNRESET, windows.WSAENETRESET, windows.WSAEHOSTUNREACH,
		windows.WSAEHOSTDOWN,
		windows.WSAENETUNREACH, windows.WSAENETDOWN, windows.WSAENOBUFS,
	} {
		if errors.Is(err, loss) {
			return true
		}
	}
	return false
}

// isRefused tells whether the host is there and nobody listens on the port.
func isRefused(err error) bool { return errors.Is(err, windows.WSAECONNREFUSED) }
