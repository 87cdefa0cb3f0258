package page

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
)

// bodyMax are the bytes of what a browser may send.
const bodyMax = 4096

// input hands on what a browser sends.
func input[B any](p *Page, of func(B) Input) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var b B
		if !body(w, r, &b) {
			return
		}
		select {
		case p.inputs <- of(b):
			w.WriteHeader(http.StatusNoContent)
		default:
			http.Error(w, "the station is busy", http.StatusServiceUnavailable)
		}
	}
}

// body reads one small JSON object. A form of another site cannot send one without being asked about it.
func body(w http.ResponseWriter, r *http.Request, into any) bool {
	if t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || t != "application/json" {
		http.Error(w, "want JSON", http.StatusUnsupportedMediaType)
		return false
	}
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, bodyMax))
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if err == nil {
		if _, err = d.Token(); err == nil {
			err = errors.New("more than one value")
		} else if errors.Is(err, io.EOF) {
			return true
		}
	}
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		http.Error(w, "too long", http.StatusRequestEntityTooLarge)
		return false
	}
	http.Error(w, "want one JSON object", http.StatusBadRequest)
	return false
}
