package simcmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/human"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/trust"
	"github.com/smpctl/smpctl/smp/sim"
	"github.com/smpctl/smpctl/transport"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

type simOptions struct {
	pty       string
	tcp       string
	udp       string
	keys      []string
	bootMode  app.Choice
	faults    string
	boards    int
	bus       string
	faultsOf  []string
	hands     bool
	eraseTime app.Seconds
	window    app.Seconds
	board     sim.Options
}

func simCommand(a *app.App) *cobra.Command {
	var o simOptions
	cmd := &cobra.Command{
		Use:        "sim",
		SuggestFor: []string{"simulate", "simulator", "emulator"},
		Short:      "Serve a virtual device, to try and to test things with",
		Long: `Serve a virtual device: an SMP server, MCUboot and their flash, on a pseudo-terminal (Linux), a TCP
port, a UDP port, or all of them, until Ctrl-C.

With --boards there are several, as if they were on USB: smpctl sees them in the place of this
computer's ports where SMPCTL_BUS names the folder of --bus. Their serial numbers are SIM00001 and
so on, they are plugged in at 1-1.1 to 1-1.7, 1-2.1 and so on, and their ports go away at a reset.
With --hands, lines of standard input such as unplug 3, plug 3, plug 3 1-1.5 and reset 3 do so.

With --baud the bytes take as long as they do on a wire, with --raw both application and bootloader
have raw framing. Faults are listed as in --faults
seed=7,drop-request=0.01,flip=0.0001,vanish-after=20000,lose-last-answer.`,
		Example: `  smpctl sim --pty ./board --flash board.flash
  smpctl sim --tcp 127.0.0.1:7777 --key app.pub.pem --boot-mode overwrite
  smpctl sim --boards 8 --bus ./bus --baud 115200 --faults-of 3:vanish-after=20000`,
		Args: app.Takes(0, 0),
		RunE: a.Run(func(ctx context.Context, _ []string) (app.Result, error) { return serve(ctx, a, o) }),
	}
	o.register(cmd.Flags())
	return cmd
}

func (o *simOptions) register(f *pflag.FlagSet) {
	f.StringVar(&o.pty, "pty", "", "make this `link` a serial port that leads to the device")
	f.StringVar(&o.tcp, "tcp", "", "serve its serial port on this `host:port`; port 0 takes a free one")
	f.IntVar(&o.boards, "boards", 0, "serve `N` boards on a bus of their own")
	f.StringVar(&o.bus, "bus", "", "the `folder` that the bus is (default: one among the temporary files)")
	f.BoolVar(&o.hands, "hands", false, "pull boards out and plug them in as the lines of standard input say")
	f.StringVar(&o.board.Flash, "flash", "",
		"keep the flash in this `file`, and start with what it holds; with --boards in a folder")
	f.StringVar(&o.udp, "udp", "", "serve SMP over UDP on this `host:port`; port 0 takes a free one")
	f.StringArrayVar(&o.keys, "key", nil,
		"start only images that this public `key` (PEM) signed; of several of one type, one")
	o.bootMode = app.NewChoice(f, "boot-mode", "", "what the bootloader does: "+human.Or(bootModes()),
		bootModes()...)
	f.IntVar(&o.board.Images, "images", 0, "images, with two slots each (default 1)")
	f.IntVar(&o.board.SlotSize, "slot-size", 0, "bytes of a slot (default 262144)")
	f.IntVar(&o.board.BufSize, "buf-size", 0,
		"bytes of a packet buffer (default 384, and 256 more for each further image)")
	f.IntVar(&o.board.BufCount, "buf-count", 0, "packet buffers (default 4)")
	f.IntVar(&o.board.RXLines, "rx-lines", 0, "buffers for received lines (default: always enough)")
	f.Var(&o.eraseTime, "erase-time", "how long the flash takes to erase 4096 bytes (default: none)")
	f.BoolVar(&o.board.Recovery, "recovery", false, "come up in MCUboot's serial recovery")
	f.BoolVar(&o.board.Blank, "blank", false,
		"come up without an application; with --flash only if that file is new")
	f.Var(&o.window, "recovery-window",
		"how long the bootloader waits at each boot for a request to stay in serial recovery (default: not)")
	f.BoolVar(&o.board.Noise, "noise", false, "print log lines, colours and prompts between the answers")
	f.BoolVar(&o.board.Console, "console", true, "print on the serial port what MCUboot and Zephyr say at boot")
	f.StringVar(&o.faults, "faults", "", "what goes wrong, as a `list` of NAME=VALUE")
	f.StringArrayVar(&o.faultsOf, "faults-of", nil,
		"what goes wrong on one of the boards alone, as its number, a colon and a `list`")
}

// CompleteFaults offers the names of faults, behind the last comma of a list.
func CompleteFaults(_ *cobra.Command, _ []string, typed string) (offers []string, _ cobra.ShellCompDirective) {
	before := typed[:strings.LastIndex(typed, ",")+1]
	for _, name := range sim.FaultNames() {
		offers = append(offers, before+name)
	}
	return offers, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}

func bootModes() []string {
	var names []string
	for _, m := range sim.Modes() {
		names = append(names, m.String())
	}
	return names
}

// options completes what the flags say.
func (o simOptions) options(a *app.App) (sim.Options, error) {
	b := o.board
	var err error
	if b.Mode, err = sim.ParseMode(o.bootMode.String()); err != nil {
		return b, failure.AsUsage(err)
	}
	if b.Faults, err = sim.ParseFaults(o.faults); err != nil {
		return b, failure.AsUsage(err)
	}
	for i, path := range o.keys {
		pub, err := trust.ReadPublicKey(path)
		switch {
		case err != nil:
			return b, err
		case i == 0:
			b.Key = pub
		default:
			b.MoreKeys = append(b.MoreKeys, pub)
		}
	}
	b.Raw, b.SerialRecovery.Raw = a.Flags.Raw, a.Flags.Raw
	b.Baud, b.EraseTime, b.RecoveryWindow = a.Flags.Baud, time.Duration(o.eraseTime), time.Duration(o.window)
	return b, nil
}

// newBoard makes the device. What does not fit without a flash file is wrong usage, the rest is about the file.
func newBoard(o sim.Options) (*sim.Device, error) {
	flash := o.Flash
	o.Flash = ""
	board, err := sim.NewDevice(o)
	if err != nil {
		return nil, failure.AsUsage(err)
	}
	if flash == "" {
		return board, nil
	}
	board.Close()
	o.Flash = flash
	board, err = sim.NewDevice(o)
	if err != nil {
		return nil, &transport.OpenError{Address: "sim:" + flash, Err: err}
	}
	return board, nil
}

func serve(ctx context.Context, a *app.App, o simOptions) (app.Result, error) {
	if err := o.checkBoards(); err != nil {
		return nil, err
	}
	if o.boards > 0 {
		return serveBoards(ctx, a, o)
	}
	if o.pty == "" && o.tcp == "" && o.udp == "" {
		return nil, failure.Usage(
			"sim needs --pty LINK, --tcp HOST:PORT, --udp HOST:PORT or --boards N, to be reached under")
	}
	options, err := o.options(a)
	if err != nil {
		return nil, err
	}
	ways, err := openWays(ctx, o)
	if err != nil {
		return nil, err
	}
	defer ways.close()
	board, err := newBoard(options)
	if err != nil {
		return nil, err
	}
	err = serveBoard(ctx, a, board, ways)
	err = errors.Join(err, board.Close())
	if stats := board.Stats(); err == nil || stats.Requests > 0 {
		return newSimResult(stats), err
	}
	return nil, err
}

// ways are how a device can be reached; those that nobody asked for are empty.
type ways struct {
	pty string
	tcp net.Listener
	udp net.PacketConn
}

// openWays opens the sockets, so that a port that is taken is found before there is a device.
func openWays(ctx context.Context, o simOptions) (w ways, err error) {
	w.pty = o.pty
	if o.tcp != "" {
		if w.tcp, err = listen(ctx, "tcp", o.tcp, new(net.ListenConfig).Listen); err != nil {
			return w, err
		}
	}
	if o.udp != "" {
		if w.udp, err = listen(ctx, "udp", o.udp, new(net.ListenConfig).ListenPacket); err != nil {
			w.close()
		}
	}
	return w, err
}

func (w ways) close() {
	if w.tcp != nil {
		w.tcp.Close()
	}
	if w.udp != nil {
		w.udp.Close()
	}
}

// listen opens a port of a network: a text that is no address is wrong usage.
func listen[T any](ctx context.Context, network, address string,
	open func(context.Context, string, string) (T, error)) (l T, err error) {
	if _, port, err := net.SplitHostPort(address); err != nil || !isPort(port) {
		return l, failure.Usage("--%s %s: want HOST:PORT, such as 127.0.0.1:7777", network, address)
	}
	l, err = open(ctx, network, address)
	if err != nil {
		return l, &transport.OpenError{Address: network + ":" + address, Err: listenCause(err)}
	}
	return l, nil
}

// isPort reports whether a text is the number of a port, or the name of a service.
func isPort(text string) bool {
	_, err := net.LookupPort("tcp", text)
	return err == nil
}

// listenCause is why nobody can listen at an address, without the sockets and system calls that package net names.
func listenCause(err error) error {
	var name *net.DNSError
	var call *os.SyscallError
	var op *net.OpError
	switch {
	case errors.As(err, &name):
		return fmt.Errorf("there is no host %q", name.Name)
	case errors.As(err, &call):
		return call.Err
	case errors.As(err, &op):
		return op.Err
	}
	return err
}

// serveBoard serves until ctx ends or one of the ways in fails, which ends the others too.
func serveBoard(ctx context.Context, a *app.App, board *sim.Device, w ways) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var serving sync.WaitGroup
	var tcpErr, udpErr, ptyErr error
	start := func(err *error, serve func() error) {
		serving.Go(a.Guarded(func() {
			defer stop()
			*err = serve()
		}))
	}
	// The pseudo-terminal comes last, because it says in its own goroutine that it is ready.
	if w.tcp != nil {
		ready(a, "tcp:"+w.tcp.Addr().String(), "")
	}
	if w.udp != nil {
		ready(a, "udp:"+w.udp.LocalAddr().String(), "")
	}
	if w.tcp != nil {
		start(&tcpErr, func() error { return board.Serve(ctx, w.tcp) })
	}
	if w.udp != nil {
		start(&udpErr, func() error { return board.ServePacket(ctx, w.udp) })
	}
	if w.pty != "" {
		start(&ptyErr, func() error { return board.ServePTY(ctx, w.pty, func(name string) { ready(a, w.pty, name) }) })
	}
	serving.Wait()
	if ptyErr != nil {
		var link *os.LinkError
		if errors.As(ptyErr, &link) {
			ptyErr = link.Err
		}
		ptyErr = failure.WithHint(&transport.OpenError{Address: w.pty, Err: ptyErr}, "")
	}
	return errors.Join(tcpErr, udpErr, ptyErr)
}

// ready says under which address the device can be reached.
func ready(a *app.App, port, target string) {
	arrow := ""
	if target != "" {
		arrow = " -> " + target
	}
	a.Say("serving %s%s; stop with Ctrl-C", port, arrow)
	a.Event(app.ReadyEvent{Event: "ready", Port: port, Target: target})
}

// simResult is what happened in the device while it was served.
type simResult struct {
	Requests    int `json:"requests"`     // that the device carried out
	Resets      int `json:"resets"`       // of the device
	LostPackets int `json:"lost_packets"` // for want of packet buffers
	LostLines   int `json:"lost_lines"`   // for want of line buffers
	LongLines   int `json:"long_lines"`   // that were longer than a line buffer
	Broken      int `json:"broken"`       // packets that arrived damaged, or longer than a buffer
	NoMemory    int `json:"no_memory"`    // requests refused because no buffer was free for the answer
}

func newSimResult(s sim.Stats) simResult {
	return simResult{
		Requests: s.Requests, Resets: s.Resets, LostPackets: s.LostPackets, LostLines: s.LostLines,
		LongLines: s.LongLines,
		Broken:    s.Broken, NoMemory: s.NoMemory,
	}
}

func (r simResult) Text(w io.Writer) error {
	_, err := fmt.Fprintf(w,
		"served %d requests, reset %d times; lost %d packets and %d lines for want of buffers, %d broken\n",
		r.Requests, r.Resets, r.LostPackets, r.LostLines+r.LongLines, r.Broken)
	return err
}
