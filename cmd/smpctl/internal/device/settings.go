package device

import (
	"cmp"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/transport"
)

// Settings say where the device is and how to talk to it: flags before environment before profile before defaults.
type Settings struct {
	Address   address
	Transport transport.Options
	SMP       smp.Options
}

const PortVariable = "SMPCTL_PORT"

// settings merges everything that can say where the device is.
func readSettings(a *app.App) (Settings, error) {
	f := a.Flags
	saved, err := savedSettings(a)
	if err != nil {
		return Settings{}, err
	}
	text := f.Port
	if fromEnv, ok := a.Env(PortVariable); text == "" && ok && f.Conn == "" && f.ConnString == "" {
		text = fromEnv
	}
	if text == "" {
		text = saved.Dev
	}
	address, err := ParseAddress(text)
	if err != nil {
		return Settings{}, err
	}
	baud := cmp.Or(f.Baud, saved.Baud, transport.DefaultBaud)
	s := Settings{
		Address:   address,
		Transport: transport.Options{Baud: baud, LineLength: f.LineLength, Raw: f.Raw},
		SMP: smp.Options{
			Timeout: time.Duration(f.Timeout), Tries: f.Tries, Version: f.Version.Version,
			Buffer: f.Buffer, MaxBuffer: saved.MTU, Window: f.Window,
		},
	}
	if address.Kind == transport.KindPath || address.Kind == transport.KindUSB || address.Kind == transport.KindAny {
		s.SMP.Rate = baud / transport.BitsPerByte
	}
	return s, nil
}

// transport.BitsPerByte counts a start and a stop bit.

// connSettings merges the profile and the mcumgr-cli flags that replace or extend it.
func savedSettings(a *app.App) (connSettings, error) {
	f := a.Flags
	p := Profile{Type: "serial"}
	if f.Conn != "" {
		var err error
		if p, err = FindProfile(a, f.Conn); err != nil {
			return connSettings{}, err
		}
	}
	if f.ConnType != "" {
		p.Type = f.ConnType
	}
	if f.ConnString != "" {
		p.ConnString = f.ConnString
	}
	saved, err := parseConnString(p.Type, p.ConnString)
	if err != nil {
		return connSettings{}, err
	}
	extra, err := parseConnString(p.Type, f.ConnExtra)
	if err != nil {
		return connSettings{}, err
	}
	saved = saved.merge(extra)
	if p.Type == "udp" && saved.Dev == "" && f.Port == "" {
		return connSettings{}, failure.Usage("connection type udp: an address is missing: --connstring HOST:PORT")
	}
	return saved, nil
}
