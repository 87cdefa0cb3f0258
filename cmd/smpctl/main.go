// Command smpctl updates the firmware of microcontrollers that run Zephyr and MCUboot, over a serial port or USB.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
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
		cancel(errInterrupted)
	}()
	return run(ctx, os.Args[1:], newStreams(os.Stdin, os.Stdout, os.Stderr), os.LookupEnv)
}
