package journal

import (
	"cmp"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/files"
)

// Options say who writes a journal. The zero value is good for a test.
type Options struct {
	Station  Station            // of each record that says no other
	Operator string             // of each record that says no other
	Key      ed25519.PrivateKey // signs heads; nil: there are none
	Guest    bool               // the key signs only where it signed the last head, or nobody did
	Now      func() time.Time   // nil: time.Now
	Random   io.Reader          // for IDs; nil: that of package crypto/rand
}

// ErrLocked is a journal that another process writes.
var ErrLocked = errors.New("another smpctl writes records here")

// LockedError is [ErrLocked] with what is known of the other process.
type LockedError struct {
	Dir    string
	Holder string // as that process says; empty if it is not known
}

func (e *LockedError) Error() string {
	return fmt.Sprintf("%s: %s", e.Dir, cmp.Or(e.Holder, "another smpctl")+" writes records here")
}

func (e *LockedError) Is(target error) bool { return target == ErrLocked }

// ErrClosed is a journal that was closed.
var ErrClosed = errors.New("records: closed")

// Journal writes records. Its methods may be called from several goroutines, and return once their lines are on the
// disk.
type Journal struct {
	dir     string
	o       Options
	release func() // the lock

	mu    sync.Mutex // guards the rest, and is held while a line is written
	tail  tail
	begun map[string]Record // boards that are being worked on, by ID
}

// lockName is the file in the folder that says who writes.
const lockName = "lock"

// Open opens the journal in a folder for writing, and makes the folder if need be: nobody but the user may look into
// it. One process can have it, else the error is [ErrLocked]. What a power cut left is put in order first: a torn last
// line is set aside, and a begin without an end gets one that says unknown.
func Open(dir string, o Options) (*Journal, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Random == nil {
		o.Random = rand.Reader
	}
	if err := makeFolder(dir); err != nil {
		return nil, err
	}
	release, err := hold(dir, o.Now())
	if err != nil {
		return nil, err
	}
	j := &Journal{dir: dir, o: o, release: release, begun: map[string]Record{}}
	if err := j.start(); err != nil {
		j.tail.close()
		release()
		return nil, err
	}
	return j, nil
}

// makeFolder makes the folder of a journal, durably.
func makeFolder(dir string) error {
	if info, err := os.Stat(dir); err == nil && info.IsDir() {
		return nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return files.FileError(dir, err)
	}
	return syncFolder(filepath.Dir(dir))
}

// hold takes the lock of a folder.
func hold(dir string, now time.Time) (release func(), err error) {
	host, _ := os.Hostname()
	release, err = files.Hold(filepath.Join(dir, lockName),
		fmt.Sprintf("smpctl, process %d on %s since %s,", os.Getpid(), host, now.UTC().Format(time.RFC3339)))
	var held *files.HeldError
	if errors.As(err, &held) {
		return nil, &LockedError{dir, held.Holder}
	}
	return release, err
}

// start takes the journal up where it ends.
func (j *Journal) start() error {
	r, err := resume(j.dir)
	if err != nil {
		return err
	}
	if j.o.Guest && r.keyed != "" && r.keyed != j.publicKey() {
		j.o.Key = nil // the next start of the station signs what is written now
	}
	j.tail, j.begun, j.tail.key = r.tail, r.begun, j.o.Key
	if r.keyed != j.publicKey() {
		j.tail.unsigned = int(min(j.tail.seq, unsignedMost))
	}
	if r.torn != "" {
		id, err := newID(j.o.Now(), j.o.Random)
		if err == nil {
			_, err = j.write(Record{ID: id, Event: Torn, Message: r.torn})
		}
		if err != nil {
			return err
		}
	}
	if err := j.abandon(); err != nil {
		return err
	}
	return j.sign()
}

// Begin writes that a board is about to be worked on, with what is known of it, and returns the ID of its turn. If it
// fails, the board must not be touched.
func (j *Journal) Begin(r Record) (id string, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if r.ID == "" {
		if r.ID, err = newID(j.o.Now(), j.o.Random); err != nil {
			return "", err
		}
	}
	if _, ok := j.begun[r.ID]; ok {
		return "", fmt.Errorf("record %s began before", r.ID)
	}
	r.Event = Begin
	if r, err = j.write(r); err != nil {
		return "", err
	}
	j.begun[r.ID] = r
	return r.ID, nil
}

// End writes what became of a board. What r leaves out is as at its begin, so that the line can stand alone. No board
// has passed before it returned nil; after an error it may be called again.
func (j *Journal) End(id string, r Record) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	begun, ok := j.begun[id]
	if !ok {
		return fmt.Errorf("record %s did not begin, or has ended", id)
	}
	if _, err := j.write(j.ended(begun, r)); err != nil {
		return err
	}
	delete(j.begun, id)
	return nil
}

// ended is the end of what begun began.
func (j *Journal) ended(begun, r Record) Record {
	r.ID, r.Event, r.Began = begun.ID, End, begun.Began
	r.Station = cmp.Or(r.Station, begun.Station)
	r.Operator = cmp.Or(r.Operator, begun.Operator)
	r.Board = cmp.Or(r.Board, begun.Board)
	r.Image = cmp.Or(r.Image, begun.Image)
	r.Attempt = cmp.Or(r.Attempt, begun.Attempt)
	r.Result = cmp.Or(r.Result, Unknown)
	if r.Fields == nil {
		r.Fields = begun.Fields
	}
	if r.Before == nil {
		r.Before = begun.Before
	}
	if r.Seconds == 0 {
		r.Seconds = j.o.Now().Sub(begun.Began).Seconds()
	}
	r.Seconds = math.Round(r.Seconds*1000) / 1000
	return r
}

// Resolve writes what a person found out about a board afterwards, such as one that is unknown: of r count the result,
// the message and the operator.
func (j *Journal) Resolve(id string, r Record) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	_, err := j.write(Record{ID: id, Event: Resolve, Result: r.Result, Message: r.Message, Operator: r.Operator})
	return err
}

// abandon ends all turns of which nobody knows how they ended.
func (j *Journal) abandon() error {
	left := slices.SortedFunc(maps.Values(j.begun), func(a, b Record) int { return cmp.Compare(a.Seq, b.Seq) })
	for _, begun := range left {
		r := j.ended(begun, Record{Result: Unknown, Message: "no end was recorded: power cut, or smpctl was killed"})
		r.Seconds = 0 // nobody knows
		if _, err := j.write(r); err != nil {
			return err
		}
		delete(j.begun, begun.ID)
	}
	return nil
}

// complete fills in what every line has.
func (j *Journal) complete(r Record, now time.Time) Record {
	if r.Began.IsZero() {
		r.Began = now
	}
	r.V, r.Began = Version, r.Began.UTC().Truncate(time.Millisecond)
	if r.Event != End { // that has what its begin had
		r.Station = cmp.Or(r.Station, j.o.Station)
		r.Operator = cmp.Or(r.Operator, j.o.Operator)
	}
	return r
}

// write completes a record and appends its line.
func (j *Journal) write(r Record) (Record, error) {
	now := j.o.Now()
	r = j.complete(r, now)
	segment := max(segmentOf(now), j.tail.name) // a clock that was set back does not go back to an older file
	if !segmentName.MatchString(segment) {
		return r, fmt.Errorf("records: the clock says %s", now)
	}
	if j.tail.unsigned >= unsignedMost || segment > j.tail.name {
		if err := j.sign(); err != nil {
			return r, err
		}
	}
	if err := j.tail.append(&r, segment); err != nil {
		return r, err
	}
	if j.tail.unsigned >= unsignedMost {
		_ = j.sign() // else before the next line, which is not written without
	}
	return r, nil
}

// sign writes a head over the lines that have none, if there are any and there is a key. It stands in the file that
// they are in.
func (j *Journal) sign() error {
	if j.o.Key == nil || j.tail.unsigned == 0 {
		return nil
	}
	id, err := newID(j.o.Now(), j.o.Random)
	if err != nil {
		return err
	}
	r := j.complete(Record{ID: id, Event: Head, Key: j.publicKey()}, j.o.Now())
	return j.tail.append(&r, j.tail.name)
}

// publicKey is that of the station in hexadecimal digits, or nothing.
func (j *Journal) publicKey() string {
	if j.o.Key == nil {
		return ""
	}
	return hex.EncodeToString(j.o.Key.Public().(ed25519.PublicKey))
}

// Close ends the journal. Turns that have not ended are unknown from now on.
func (j *Journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if errors.Is(j.tail.failed, ErrClosed) {
		return nil
	}
	err := j.abandon()
	if err == nil {
		err = j.sign()
	}
	j.tail.close()
	j.tail.failed = ErrClosed
	j.release()
	return err
}
