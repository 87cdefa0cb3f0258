package transport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
)

// dialCause says why a host could not be reached, without what package net says around it: the address is known.
func dialCause(err error) error {
	var name *net.DNSError
	var op *net.OpError
	switch {
	case isRefused(err):
		return errNobody
	case errors.Is(err, context.Canceled):
		return err
	case errors.As(err, &name) && name.IsNotFound:
		return worded{fmt.Sprintf("there is no host %q", name.Name), err}
	case errors.As(err, &name):
		return worded{fmt.Sprintf("the address of host %q cannot be looked up: %s", name.Name, name.Err), err}
	case errors.As(err, &op) && op.Timeout():
		return worded{"no answer from there", err}
	}
	return bare(err)
}

// bare leaves out of an error of a socket which sockets, and which system call. The end of a stream is said in words.
func bare(err error) error {
	var op *net.OpError
	var call *os.SyscallError
	switch {
	case errors.As(err, &call):
		return call.Err
	case errors.As(err, &op):
		return op.Err
	case err == io.EOF:
		return worded{"it ended the connection", err}
	}
	return err
}

// worded is an error in other words.
type worded struct {
	text string
	err  error
}

func (w worded) Error() string { return w.text }

func (w worded) Unwrap() error { return w.err }

// errNobody is a TCP port that is not there, or not yet.
var errNobody error = nobody{}

type nobody struct{}

func (nobody) Error() string { return "connection refused: nobody listens there" }

func (nobody) Is(target error) bool { return target == fs.ErrNotExist }
