package station

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/app"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/boards"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/device"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/journal"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/page"
)

// station is a station that runs.
type station struct {
	app     *app.App
	config  Config
	work    boards.Work
	id      boards.Source
	web     *web // nil: there is no page
	journal *journal.Journal
	sending *sending // nil: records are not sent
	watch   func(page.View)
	past    *past
	began   [3]int // boards that passed, failed and are unknown before this run
}

// open checks and takes all that a station needs, before any port of a board is opened.
func open(ctx context.Context, a *app.App, c Config, upgrade Upgrader, noWeb bool) (*station, error) {
	s := &station{app: a, config: c, watch: func(page.View) {}}
	if err := s.id.Set(c.Boards.ID); err != nil {
		return nil, failure.Usage("boards.id: %w", err)
	}
	var err error
	if s.work, err = upgrade(ctx, a, updateOf(c)); err != nil {
		return nil, err
	}
	if !noWeb {
		if s.web, err = openWeb(ctx, c); err != nil {
			return nil, err
		}
	}
	if err := s.openRecords(); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// openRecords takes the journal, and reads what it tells.
func (s *station) openRecords() error {
	dir := s.config.path(s.config.Records.Dir)
	o := journal.Options{Station: journal.Station{Name: s.config.Name, Smpctl: app.Version(), Config: s.config.sha256}}
	key, err := s.config.path(s.config.Records.Key), error(nil)
	if key == "" {
		key, err = journal.KeyPath(s.app.Env)
	}
	if err == nil {
		o.Key, err = journal.StationKey(key)
	}
	if err != nil {
		return fmt.Errorf("records.key: %w", err)
	}
	if s.journal, err = journal.Open(dir, o); errors.Is(err, journal.ErrLocked) {
		return failure.WithHint(fmt.Errorf("records: %w", err),
			"one station writes into a folder; another one needs a folder of its own (records.dir)")
	} else if err != nil {
		return fmt.Errorf("records: %w", err)
	}
	hash := ""
	if s.work.Image != nil {
		hash = s.work.Image.FileSHA256
	}
	if s.past, err = readPast(journal.History(dir), hash, s.config.sha256); err != nil {
		return failure.WithHint(fmt.Errorf("records: %w", err), "smpctl records verify --dir "+dir+" says what is wrong with them")
	}
	s.began = [3]int{s.past.passed, s.past.failed, s.past.unknown}
	s.sending, err = openSending(s.config)
	return err
}

// close gives back what a station has.
func (s *station) close() error {
	if s.web != nil {
		s.web.listener.Close()
	}
	if s.journal == nil {
		return nil
	}
	return s.journal.Close()
}

// run works until ctx ends.
func (s *station) run(ctx context.Context) (app.Result, error) {
	serving, stop := context.WithCancel(context.WithoutCancel(ctx)) // the page shows the end too
	defer stop()
	began := time.Now()
	reports := newReport(s.app)
	s.app.Bus = device.Shared(device.BusOf(s.app)) // all boards look at it
	e := &engine{app: s.app, rig: newRig(s.config.rules, s.past), ports: s.app.Bus.Ports, seen: s.resolve,
		dress: s.dress}
	w := &worker{config: s.config, work: s.work, id: s.id, app: s.app, journal: s.journal, known: s.past.known(s.config.Run.Repeat)}
	e.work = w.do
	e.show = func(v page.View) { reports.show(v); s.watch(v) }
	if s.web != nil {
		e.pressed = s.web.page.Inputs()
		e.show = func(v page.View) { reports.show(v); s.web.page.Show(v); s.watch(v) }
		s.serve(serving)
	} else {
		e.scans = scansOf(ctx, s.app)
	}
	if s.sending != nil {
		s.sending.run(serving, s.app)
	}
	e.run(ctx)
	err := s.journal.Close()
	if err != nil {
		s.app.Warn("records: %v", err)
	}
	return stationResult{Station: s.config.Name, Passed: s.past.passed - s.began[0], Failed: s.past.failed - s.began[1],
		Unknown: s.past.unknown - s.began[2], Records: s.config.path(s.config.Records.Dir),
		Seconds: time.Since(began).Seconds()}, err
}

// serve has the page answer browsers, until ctx ends. It returns at once.
func (s *station) serve(ctx context.Context) {
	s.app.Say("page: %s   (Ctrl-C ends the station)", s.web.url)
	s.app.Event(app.PageEvent{Event: "page", URL: s.web.url})
	s.app.Spawn(func() {
		if err := s.web.serve(ctx); err != nil {
			s.app.Warn("%v", err)
		}
	})
}

// dress fills in what the rig does not know.
func (s *station) dress(v *page.View) {
	v.Station = s.config.Name
	if i := s.work.Image; i != nil {
		v.Image = filepath.Base(i.File)
		if i.Version != "" {
			v.Image += " · " + i.Version
		}
	}
	s.sending.dress(v)
}

// resolve keeps that somebody has looked at boards of which nobody knew how they ended.
func (s *station) resolve(seen []deed) {
	for _, d := range seen {
		err := s.journal.Resolve(d.id, journal.Record{Result: journal.Unknown, Message: "somebody looked at it"})
		if err != nil {
			s.app.Warn("records: %v", err)
		}
	}
}
