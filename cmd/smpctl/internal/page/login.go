package page

import (
	"context"
	"crypto/subtle"
	"net/http"
	"time"
)

// cookie is the name of that of a browser that knew the token; browsers take this one only from TLS, and of this host.
const cookie = "__Host-smpctl-station"

// known lets through whoever may see the page.
func (p *Page) known(next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !p.isKnown(r) {
			http.Error(w, "the token first", http.StatusUnauthorized)
			return
		}
		next(w, r)
	})
}

// isKnown tells whether a browser knew the token.
func (p *Page) isKnown(r *http.Request) bool {
	if p.o.Token == "" {
		return true
	}
	c, err := r.Cookie(cookie)
	return err == nil && subtle.ConstantTimeCompare([]byte(c.Value), []byte(p.session)) == 1
}

// login gives a cookie for the token.
func (p *Page) login(w http.ResponseWriter, r *http.Request) {
	var b struct{ Token string }
	if !body(w, r, &b) {
		return
	}
	if p.o.Token == "" || subtle.ConstantTimeCompare([]byte(b.Token), []byte(p.o.Token)) != 1 {
		pause(r.Context(), time.Second) // whoever tries tokens has few connections to do so
		http.Error(w, "another token is wanted", http.StatusUnauthorized)
		return
	}
	http.SetCookie(w, &http.Cookie{Name: cookie, Value: p.session, Path: "/", Secure: true, HttpOnly: true,
		SameSite: http.SameSiteStrictMode})
	w.WriteHeader(http.StatusNoContent)
}

// pause waits, or until nobody does any more.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
