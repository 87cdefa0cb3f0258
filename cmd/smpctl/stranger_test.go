package main

import (
	"bufio"
	"io"
	"net"

	"github.com/rogpeppe/go-internal/testscript"
)

// startSilence opens a port that takes everything and never answers: silent.
func startSilence(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: silent")
	}
	serveStranger(ts, func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) })
}

// strangers are what may be at the other end instead of an SMP server.
var strangers = map[string]func(net.Conn){
	"echo":  func(conn net.Conn) { _, _ = io.Copy(conn, conn) },
	"shell": saying("\r\n\x1b[1;31mcommand not found\x1b[0m\r\n\x1b[1;32muart:~$ \x1b[m"),
	// "uart:~$ " at twice the baud rate, as a receiver samples it.
	"garbage": saying("\xcc\x3f\xe0\xcc\x87\xfc\x80\x98\xe6\xf8\x18\xfe\x30\xcf\xf0\x00\x9e\xe1\xfc\x0f"),
	// An answer to somebody else, and the same with a byte changed.
	"busybody": saying("\x06\x09ABABAAAGAAECBr9icmMI/9a6\n"),
	"damaged":  saying("\x06\x09ABABAAAGAAECBr9icmMJ/9a6\n"),
	"slip":     saying("\xc0\x10\x01\x02\xdb\xdc\xdb\xdd\x81\xc0\xc0\x10\x02\x03\x90\x82\xdb\xdc\xc0"),
}

// saying says the same to each line that comes.
func saying(text string) func(net.Conn) {
	return func(conn net.Conn) {
		for lines := bufio.NewScanner(conn); lines.Scan(); {
			if _, err := io.WriteString(conn, text); err != nil {
				return
			}
		}
	}
}

// startStranger opens a port with somebody behind it who does not speak SMP: stranger KIND.
func startStranger(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 || strangers[args[0]] == nil {
		ts.Fatalf("usage: stranger shell|echo|garbage|busybody|damaged|slip")
	}
	serveStranger(ts, strangers[args[0]])
}

// serveStranger puts the address of a port into $PORT, with the same behind each connection.
func serveStranger(ts *testscript.TestScript, serve func(net.Conn)) {
	l := listenLocal(ts)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				serve(conn)
			}()
		}
	}()
	ts.Defer(func() { l.Close() })
	ts.Setenv("PORT", "tcp:"+l.Addr().String())
}
