package smp

import (
	"context"
	"fmt"
	"time"

	"github.com/fxamacker/cbor/v2"
)

// Command is one command of a group that this package does not know. Q is the request's payload and A the answer's:
// structs whose fields have cbor tags with the keys of the protocol, struct{} for nothing.
type Command[Q, A any] struct {
	Name    string        // as errors call it; empty means group and number
	Group   Group         // the application's own are numbered from GroupUser
	ID      uint8         // number within the group
	Op      Op            // Read or Write
	Once    bool          // never sent twice, because a second one could do harm
	Timeout time.Duration // for one try, unless Options.Timeout is set; 0 means 3 s. A minute always counts
}

// Do sends the request and waits for the answer, as every method of a [Client]'s groups does: a refusal is a
// *[DeviceError], an answer that does not fit A a *[ProtocolError], silence [ErrNoReply], and a request that the
// device's buffer cannot hold [ErrTooLarge].
func (cmd Command[Q, A]) Do(ctx context.Context, c *Client, request Q) (A, error) {
	own := command[Q, A]{
		name: cmd.Name, op: cmd.Op, group: cmd.Group, id: cmd.ID, single: cmd.Once, timeout: cmd.Timeout,
	}
	if own.name == "" {
		own.name = fmt.Sprintf("%s command %d", cmd.Group, cmd.ID)
	}
	if !cmd.Op.IsRequest() {
		var nothing A
		return nothing, fmt.Errorf("%s: %s is not a request", own.name, cmd.Op)
	}
	return own.do(ctx, c, request)
}

// Refusal returns the *[DeviceError] that the payload of an answer carries, and nil if it carries none. It is for
// answers to [Client.Raw], in whatever form: one that is no CBOR map carries none.
func Refusal(command string, group Group, payload []byte) error {
	var s status
	if !isMap(payload) || looseMode.Unmarshal(payload, &s) != nil {
		return nil
	}
	return s.refusal(command, group)
}

// looseMode is for answers that others will read: it bounds what they cost, not what they say.
var looseMode = must(cbor.DecOptions{
	MaxNestedLevels: maxNesting, MaxArrayElements: maxArray, MaxMapPairs: maxMap,
	UTF8: cbor.UTF8DecodeInvalid, FieldNameMatching: cbor.FieldNameMatchingCaseSensitive,
}.DecMode())

// Raw sends one request with any payload, an encoded CBOR map for all standard groups, and returns the payload of the
// answer, not looked into. It is sent once: only the caller knows whether a repetition does harm.
func (c *Client) Raw(ctx context.Context, op Op, group Group, id uint8, payload []byte) ([]byte, error) {
	const name = "raw request"
	if !op.IsRequest() {
		return nil, fmt.Errorf("%s: %s is not a request", name, op)
	}
	if _, err := c.Negotiate(ctx); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(payload) > min(maxPayload, c.PacketLimit()-HeaderLen) {
		return nil, fmt.Errorf("%s: %w: %d bytes of payload", name, ErrTooLarge, len(payload))
	}
	h := Header{Version: c.Version(), Op: op, Length: uint16(len(payload)), Group: group, Command: id}
	t := c.timing()
	t.tries = 1
	body, err := c.exchange(ctx, append(h.Append(nil), payload...), t)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return body, nil
}
