package device

import (
	"cmp"
	"strconv"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/human"
	"github.com/smpctl/smpctl/smp"
	"github.com/smpctl/smpctl/transport"
)

// Settings say where the device is and how to talk to it: flags before environment before profile before the project's
// defaults.
type Settings struct {
	Address   address
	Transport transport.Options
	SMP       smp.Options
	Origins   []Setting // where address and rate came from
}

// PortVariable is the environment variable with the address of the device.
const PortVariable = "SMPCTL_PORT"

// readSettings merges everything that can say where the device is.
func readSettings(a *app.App) (Settings, error) {
	f := a.Flags
	if len(f.MorePorts) > 0 {
		return Settings{}, severalError(f)
	}
	saved, err := savedSettings(a)
	if err != nil {
		return Settings{}, err
	}
	own, err := Defaults(a)
	if err != nil {
		return Settings{}, err
	}
	if own.Ignored != "" { // said here, once for each command, though others read the file too
		a.Log.Info(own.Ignored)
	}
	port := firstGiven("port", Setting{Value: f.Port, From: "--port"}, Setting{Value: variable(a), From: PortVariable},
		Setting{Value: saved.Dev, From: savedFrom(f)}, Setting{Value: own.Port, From: own.Path})
	address, err := ParseAddress(port.Value)
	if err != nil {
		if port.From == own.Path && own.Path != "" {
			err = failure.AsUsage(own.Wrong("port", err))
		}
		return Settings{}, err
	}
	rate := firstGiven("baud", Setting{Value: number(f.Baud), From: "--baud"},
		Setting{Value: number(saved.Baud), From: savedFrom(f)}, Setting{Value: number(own.Baud), From: own.Path},
		Setting{Value: number(transport.DefaultBaud), From: "default"})
	baud := cmp.Or(f.Baud, saved.Baud, own.Baud, transport.DefaultBaud)
	s := Settings{
		Address:   address,
		Transport: transport.Options{Baud: baud, LineLength: f.LineLength, Raw: f.Raw},
		SMP: smp.Options{
			Timeout: time.Duration(f.Timeout), Tries: f.Tries, Version: f.Version.Version,
			Buffer: f.Buffer, MaxBuffer: saved.MTU, Window: f.Window,
		},
		Origins: []Setting{port, rate},
	}
	if address.Kind == transport.KindPath || address.Kind == transport.KindUSB || address.Kind == transport.KindAny {
		s.SMP.Rate = baud / transport.BitsPerByte
	}
	return s, nil
}

// severalError says that a command with one device was given several.
func severalError(f app.GlobalFlags) error {
	ports := []string{"-p " + f.Port}
	for _, more := range f.MorePorts {
		ports = append(ports, "-p "+more)
	}
	return failure.WithHint(failure.Usage("%s: one device is wanted", human.And(ports)),
		"upgrade, recover, reset, info and image list take several, with --all")
}

// firstGiven is the first of the settings that has a value; none has one where the only port present is meant.
func firstGiven(name string, all ...Setting) Setting {
	for _, s := range all {
		if s.Value != "" {
			s.Name = name
			return s
		}
	}
	return Setting{Name: name, From: "default"}
}

// variable is the address in the environment. It does not count beside a profile that was asked for.
func variable(a *app.App) string {
	if a.Flags.Conn != "" || a.Flags.ConnString != "" {
		return ""
	}
	text, _ := a.Env(PortVariable)
	return text
}

// savedFrom names where savedSettings come from.
func savedFrom(f app.GlobalFlags) string {
	if f.ConnString != "" || f.Conn == "" {
		return "--connstring"
	}
	return "profile " + f.Conn
}

// number is a number as text, empty for 0.
func number(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// savedSettings merges the profile and the mcumgr-cli flags that replace or extend it.
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
