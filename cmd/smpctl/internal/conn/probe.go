package conn

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/device"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/view"
	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/transport"
)

// Times of a probe. A device answers within milliseconds; the rest is for one that was in the middle of something, and
// for the two versions of the protocol.
const (
	probeTime    = 4 * time.Second
	probeTimeout = 800 * time.Millisecond
)

// probeResult is what a port answered.
type probeResult struct {
	SMP         bool         `json:"smp"` // it speaks SMP
	SMPVersion  string       `json:"smp_version,omitempty"`
	Runs        string       `json:"runs,omitempty"`
	Version     string       `json:"version,omitempty"` // of the image that runs
	Hash        smp.Hash     `json:"hash,omitempty"`    // of the image that runs, in hexadecimal digits
	BufferSize  int          `json:"buf_size,omitempty"`
	BufferCount int          `json:"buf_count,omitempty"`
	Error       *app.Failure `json:"error,omitempty"` // why it did not answer, or not everything

	problem string // the same in a word or two
}

// probe asks what a port leads to. It takes no longer than probeTime and the closing of the port.
func probePort(ctx context.Context, a *app.App, dial func(context.Context) (smp.Link, error)) *probeResult {
	ctx, cancel := context.WithTimeoutCause(ctx, probeTime, smp.ErrNoReply)
	defer cancel()
	link, err := dial(ctx)
	if err != nil {
		return (&probeResult{}).failed(ctx, a, err)
	}
	c := smp.NewClient(link, smp.Options{
		Timeout: cmp.Or(time.Duration(a.Flags.Timeout), probeTimeout), Tries: a.Flags.Tries,
		Version: a.Flags.Version.Version,
	})
	defer c.Close()
	params, err := c.Negotiate(ctx)
	if err != nil {
		return (&probeResult{}).failed(ctx, a, withHeard(a, link, err))
	}
	r := &probeResult{SMP: true, SMPVersion: c.Version().String(), Runs: view.RunsUnknown}
	if params.Known {
		r.BufferSize, r.BufferCount = params.BufferSize, params.BufferCount
	}
	firmware, list, err := c.Who(ctx)
	if err != nil {
		return r.failed(ctx, a, err)
	}
	r.Runs = firmware.String()
	r.name(list)
	return r
}

// withHeard adds to the error of a device that did not answer what came over its link instead.
func withHeard(a *app.App, link smp.Link, err error) error {
	if l, ok := link.(*transport.Conn); ok {
		return failure.WithHeard(err,
			failure.Heard{Heard: l.Heard(), Baud: cmp.Or(a.Flags.Baud, transport.DefaultBaud), Raw: a.Flags.Raw})
	}
	return err
}

// dialer opens an address with the flags that say what the line is like.
func dialer(a *app.App, address transport.Address) func(context.Context) (smp.Link, error) {
	o := transport.Options{Baud: a.Flags.Baud, LineLength: a.Flags.LineLength, Raw: a.Flags.Raw, Retry: isNew}
	return func(ctx context.Context) (smp.Link, error) { return device.BusOf(a).Open(ctx, address, o) }
}

// isNew reports whether a port that cannot be opened is worth another try: not a busy one.
func isNew(err *transport.OpenError) bool { return !errors.Is(err, transport.ErrBusy) }

// name takes version and hash of what runs from the list: of the first image, as a rule. A bootloader runs none,
// whatever flags it lists.
func (r *probeResult) name(list smp.ImageList) {
	i := slices.IndexFunc(list.Images, func(s smp.ImageState) bool { return s.Active })
	if i >= 0 && r.Runs == view.RunsApplication {
		r.Version, r.Hash = view.VersionText(list.Images[i].Version), list.Images[i].Hash
	}
}

// failed is the result of a port that did not answer, or not everything.
func (r *probeResult) failed(ctx context.Context, a *app.App, err error) *probeResult {
	f := a.Failure(ctx, err)
	r.Error, r.problem = &f, inBrief(err)
	return r
}

// String is the result in one cell of a table.
func (r *probeResult) String() string {
	if !r.SMP {
		return r.problem
	}
	s := fmt.Sprintf("%s, SMP version %s", r.Runs, r.SMPVersion)
	switch {
	case r.Runs == view.RunsApplication && r.Version != "":
		s = fmt.Sprintf("%s %s (%s), SMP version %s", r.Runs, r.Version, r.Hash.Short(), r.SMPVersion)
	case r.Runs == view.RunsUnknown:
		s = fmt.Sprintf("SMP version %s", r.SMPVersion)
	}
	if r.problem != "" {
		s += "; " + r.problem
	}
	return s
}
