package journal

import "time"

// Version is the format of the lines that this package writes.
const Version = 1

// Event is what a line is about.
type Event string

const (
	Begin   Event = "begin"   // a board is about to be worked on
	End     Event = "end"     // of the begin with the same ID: what became of it
	Resolve Event = "resolve" // of the begin with the same ID: what a person found out later
	Head    Event = "head"    // the station's signature over all lines before
	Torn    Event = "torn"    // what was left of a line that a power cut tore was set aside
)

// events are all of them.
var events = []Event{Begin, End, Resolve, Head, Torn}

// Result is what became of a board.
type Result string

const (
	Pass    Result = "pass"
	Fail    Result = "fail"
	Unknown Result = "unknown" // nobody saw the end: power cut, or smpctl was killed
)

// Record is one line of a journal. The keys, and the order of the first five, are a contract. A zero value is absent,
// and text may be of boards: it is not to be trusted.
type Record struct {
	V     int    `json:"v"`    // format of the line: 1
	Seq   int64  `json:"seq"`  // number of the line in its journal, from 1, without gaps
	Prev  string `json:"prev"` // SHA-256 of the line before without its line end; of the first, zeros
	ID    string `json:"id"`   // of the board's turn, UUID version 7: its begin, end and resolve have the same
	Event Event  `json:"event"`

	Began   time.Time `json:"began"`             // when the turn began, or when another line was written; UTC
	Seconds float64   `json:"seconds,omitempty"` // how long the turn took

	Station  Station           `json:"station"`            // where it was
	Operator string            `json:"operator,omitempty"` // who works at the station
	Fields   map[string]string `json:"fields,omitempty"`   // what the user adds: order, label

	Board          Board  `json:"board,omitzero"`             // what is known of the board
	Image          *Image `json:"image,omitempty"`            // what the board was to get
	Before         []Slot `json:"before,omitempty"`           // images on the board before
	After          []Slot `json:"after,omitempty"`            // images on the board at the end
	Steps          []Step `json:"steps,omitempty"`            // of the update, as far as it came
	BytesPerSecond int    `json:"bytes_per_second,omitempty"` // of the upload
	Hooks          []Hook `json:"hooks,omitempty"`            // programs of the user that ran: before, check, after
	Attempt        int    `json:"attempt,omitempty"`          // of this command, from 1

	Result        Result `json:"result,omitempty"`         // pass, fail or unknown
	Kind          string `json:"kind,omitempty"`           // of failure, as exit codes have them
	Message       string `json:"message,omitempty"`        // the error, or what is to be said of the line
	ConsoleSHA256 string `json:"console_sha256,omitempty"` // SHA-256 of what the board printed, in hexadecimal digits

	Key       string `json:"key,omitempty"`       // of a head: Ed25519 public key, 32 bytes in hexadecimal digits
	Signature string `json:"signature,omitempty"` // of a head: Ed25519 signature; always the last key of its line
}

// Station is where a board was worked on.
type Station struct {
	Name   string `json:"name,omitempty"`   // as the station's file or the user says
	Smpctl string `json:"smpctl,omitempty"` // version of smpctl
	Config string `json:"config,omitempty"` // hash of the station's file: sha256: and hexadecimal digits
}

// Board is what is known of a board.
type Board struct {
	ID       string `json:"id,omitempty"`       // what names it
	Source   string `json:"source,omitempty"`   // of the ID: usb, shell, settings, os-info, label, command
	Port     string `json:"port,omitempty"`     // as the computer names it
	VID      string `json:"vid,omitempty"`      // of the USB device, four hexadecimal digits
	PID      string `json:"pid,omitempty"`      // of the USB device, four hexadecimal digits
	Serial   string `json:"serial,omitempty"`   // of the USB device
	Location string `json:"location,omitempty"` // where on the computer's hubs, such as 1-1.3
	Slot     string `json:"slot,omitempty"`     // name of that place on the fixture
}

// Image is what a board was to get.
type Image struct {
	File       string `json:"file,omitempty"`
	FileSHA256 string `json:"file_sha256,omitempty"`
	Hash       string `json:"hash,omitempty"`
	Version    string `json:"version,omitempty"`
	Signature  string `json:"signature,omitempty"` // verified, or not checked
	KeyHash    string `json:"key_hash,omitempty"`
}

// Slot is an image on a board, as image list shows it.
type Slot struct {
	Image     int    `json:"image"`
	Slot      int    `json:"slot"`
	Version   string `json:"version,omitempty"`
	Hash      string `json:"hash,omitempty"`
	Bootable  bool   `json:"bootable,omitempty"`  // the bootloader may start it
	Pending   bool   `json:"pending,omitempty"`   // it is selected for the next boot
	Confirmed bool   `json:"confirmed,omitempty"` // the bootloader keeps it, or returns to it
	Active    bool   `json:"active,omitempty"`    // it runs
	Permanent bool   `json:"permanent,omitempty"` // with pending: it will stay
}

// Step is a step of an update.
type Step struct {
	Step    string  `json:"step"`
	Seconds float64 `json:"seconds"`
}

// Hook is a program of the user that ran for a board.
type Hook struct {
	Name     string    `json:"name"`               // when it ran: before, check, after
	Exit     int       `json:"exit"`               // its exit code; -1 if a signal ended it
	Seconds  float64   `json:"seconds"`            // how long it took, in seconds
	Measures []Measure `json:"measures,omitempty"` // what it measured
}

// Measure is something that a program of the user measured.
type Measure struct {
	Name  string   `json:"name"`
	Value float64  `json:"value"`          // what was measured, in the unit
	Min   *float64 `json:"min,omitempty"`  // least value that is good; absent: none
	Max   *float64 `json:"max,omitempty"`  // greatest value that is good; absent: none
	Unit  string   `json:"unit,omitempty"` // such as V
}
