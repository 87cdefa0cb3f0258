package main

import (
	"cmp"
	"time"

	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/transport"
)

// settings say where the device is and how to talk to it: flags before environment before profile before defaults.
type settings struct {
	address   address
	transport transport.Options
	smp       smp.Options
}

const portVariable = "SMPCTL_PORT"

// settings merges everything that can say where the device is.
func (a *app) settings() (settings, error) {
	f := a.flags
	saved, err := a.connSettings()
	if err != nil {
		return settings{}, err
	}
	text := f.port
	if fromEnv, ok := a.env(portVariable); text == "" && ok && f.conn == "" && f.connString == "" {
		text = fromEnv
	}
	if text == "" {
		text = saved.Dev
	}
	address, err := parseAddress(text)
	if err != nil {
		return settings{}, err
	}
	baud := cmp.Or(f.baud, saved.Baud, transport.DefaultBaud)
	s := settings{
		address:   address,
		transport: transport.Options{Baud: baud, LineLength: f.lineLength, Raw: f.raw},
		smp: smp.Options{
			Timeout: time.Duration(f.timeout), Tries: f.tries, Version: f.version.Version,
			Buffer: f.buffer, MaxBuffer: saved.MTU, Window: f.window,
		},
	}
	if address.Kind == transport.KindPath || address.Kind == transport.KindUSB || address.Kind == transport.KindAny {
		s.smp.Rate = baud / transport.BitsPerByte
	}
	return s, nil
}

// transport.BitsPerByte counts a start and a stop bit.
const bitsPerByte = 10

// connSettings merges the profile and the mcumgr-cli flags that replace or extend it.
func (a *app) connSettings() (connSettings, error) {
	f := a.flags
	p := profile{Type: "serial"}
	if f.conn != "" {
		var err error
		if p, err = a.profile(f.conn); err != nil {
			return connSettings{}, err
		}
	}
	if f.connType != "" {
		p.Type = f.connType
	}
	if f.connString != "" {
		p.ConnString = f.connString
	}
	saved, err := parseConnString(p.Type, p.ConnString)
	if err != nil {
		return connSettings{}, err
	}
	extra, err := parseConnString(p.Type, f.connExtra)
	if err != nil {
		return connSettings{}, err
	}
	saved = saved.merge(extra)
	if p.Type == "udp" && saved.Dev == "" && f.port == "" {
		return connSettings{}, usage("connection type udp: an address is missing: --connstring HOST:PORT")
	}
	return saved, nil
}
