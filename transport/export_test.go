package transport

import (
	"context"
	"io"
)

// Inner functions without input or output of the system, for tables in the tests.
var (
	Clean        = clean
	CompareNames = compareNames
	InterfaceOf  = interfaceOf
	SerialOf     = serialOf
	PlaceOf      = placeOf
)

// RawDecoder is tested without a connection.
type RawDecoder = rawDecoder

// TraceEntry is written without a connection.
type TraceEntry = traceEntry

// TraceKind is the type of the kinds below.
type TraceKind = traceKind

// Kinds of trace entries.
const (
	SentPacket     = sentPacket
	ReceivedPacket = receivedPacket
	SentText       = sentText
	ReceivedText   = receivedText
	Note           = note
)

// RetryOpen is retryOpen for anything that opens.
func RetryOpen(ctx context.Context, open func() (string, error), passes func(error) bool) (string, error) {
	return retryOpen(ctx, open, passes)
}

// NewDatagramConn is a connection as UDP makes it, over anything.
func NewDatagramConn(rwc io.ReadWriteCloser) *Conn {
	c := newConn(rwc, Options{}, framing{name: "datagram", limit: maxDatagram4})
	c.decoder = &datagramDecoder{}
	return c
}

var (
	DialCause    = dialCause
	Disconnected = disconnected
)
