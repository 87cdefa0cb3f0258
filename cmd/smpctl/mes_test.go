package main

import (
	"encoding/pem"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

// startMES opens a server for records, as a company has one, and puts its URL into $MES: mes [flags] FILE. It adds the
// lines that it takes to FILE.
func startMES(ts *testscript.TestScript, neg bool, args []string) {
	m := &mes{}
	var authority string
	f := flag.NewFlagSet("mes", flag.ContinueOnError)
	f.StringVar(&m.token, "token", "", "")
	f.StringVar(&m.says, "says", "", "")
	f.IntVar(&m.status, "status", http.StatusOK, "")
	f.IntVar(&m.times, "times", -1, "")
	f.StringVar(&authority, "tls", "", "")
	ts.Check(f.Parse(args))
	if neg || f.NArg() != 1 {
		ts.Fatalf("usage: mes [flags] FILE")
	}
	m.file = ts.MkAbs(f.Arg(0))
	s := httptest.NewUnstartedServer(m)
	if authority == "" {
		s.Start()
	} else {
		s.StartTLS()
		ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
		ts.Check(os.WriteFile(ts.MkAbs(authority), ca, 0o600))
	}
	ts.Defer(s.Close)
	ts.Setenv("MES", s.URL+"/v1/records")
}

// mes takes records.
type mes struct {
	token, says, file string
	status            int // of answers
	times             int // how often that is answered before 200; negative: always

	mu sync.Mutex // guards the file and times
}

func (m *mes) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.token != "" && r.Header.Get("Authorization") != "Bearer "+m.token {
		http.Error(w, "who is "+r.Header.Get("Authorization")+"?", http.StatusUnauthorized)
		return
	}
	if m.times != 0 && m.status != http.StatusOK {
		m.times--
		w.WriteHeader(m.status)
		fmt.Fprint(w, m.says)
		return
	}
	f, err := os.OpenFile(m.file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err == nil {
		defer f.Close()
		_, err = io.Copy(f, r.Body)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}
