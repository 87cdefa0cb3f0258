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

// mainStatus runs the command line until it ends or the user stops it. A second signal kills the process at once.
func mainStatus() int {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) { // as nohup has it
		signal.Notify(signals, syscall.SIGHUP)
	}
	go func() {
		<-signals
		signal.Stop(signals)
		cancel(failure.ErrInterrupted)
	}()
	return cli.Run(ctx, os.Args[1:], app.NewStreams(os.Stdin, os.Stdout, os.Stderr), os.LookupEnv)
}
