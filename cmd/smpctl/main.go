package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/cli"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
)

func main() { os.Exit(mainStatus()) }

// mainStatus runs the command line until it ends or the user stops it. A second signal kills the process at once, but
// for the two that say that nobody looks on any more: what the terminal's end means, the command line decides, and a
// pipe that was closed is an error of whoever writes to it.
func mainStatus() int {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	hangup := make(chan os.Signal, 1)
	if !signal.Ignored(syscall.SIGHUP) { // as nohup has it
		signal.Notify(hangup, syscall.SIGHUP)
	}
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) // not ignored: children would be born so
	go func() {
		<-signals
		signal.Stop(signals)
		cancel(failure.ErrInterrupted)
	}()
	streams := app.NewStreams(os.Stdin, os.Stdout, os.Stderr)
	streams.Hangup = hangup
	return cli.Run(ctx, os.Args[1:], streams, os.LookupEnv)
}
