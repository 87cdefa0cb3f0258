package outbox

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/failure"
)

// maxAnswer bounds the bytes that are read of an answer: a sentence is wanted, or nothing.
const maxAnswer = 4 << 10

// web sends lines by POST.
type web struct {
	url    string
	agent  string
	secret secret
	client *http.Client
}

func webTarget(u *url.URL, o Options) (target, error) {
	switch {
	case u.Hostname() == "":
		return target{}, unusable("the target names no host")
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		return target{}, failure.Usage("http:// is only for this machine: %s needs https://", said(u.Host))
	case u.User != nil:
		return target{}, failure.Usage("the target names a user: who sends is told by a token (--token-file)")
	}
	roots, err := o.roots()
	if err != nil {
		return target{}, err
	}
	u.Fragment = ""
	name := u.Scheme + "://" + u.Host + u.Path
	if u.RawQuery != "" {
		name += "?…" // in which there may be a key
	}
	return target{said(name), u.String(), &web{
		url: u.String(), agent: cmp.Or(o.Agent, "smpctl"), secret: o.secret(),
		client: &http.Client{Transport: o.transport(roots), Timeout: deliverTime, CheckRedirect: stay},
	}}, nil
}

// stay follows nobody: the records, and the token, are for the host that the user named.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// transport makes connections that end in time, whatever the other end does.
func (o Options) transport(roots *x509.CertPool) *http.Transport {
	dialer := &net.Dialer{Timeout: connectTime, KeepAlive: 15 * time.Second}
	t := &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            dialer.DialContext,
		TLSClientConfig:        &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    connectTime,
		ForceAttemptHTTP2:      true,
		DisableCompression:     true,
		MaxIdleConnsPerHost:    1,
		IdleConnTimeout:        30 * time.Second,
		ResponseHeaderTimeout:  deliverTime / 2,
		MaxResponseHeaderBytes: 64 << 10,
	}
	if o.dial != nil {
		t.Proxy, t.DialContext = nil, o.dial
	}
	return t
}

func (w *web) rest() { w.client.CloseIdleConnections() }

func (w *web) deliver(ctx context.Context, lines []byte) error {
	token, err := w.secret.read()
	if err != nil {
		return &setback{text: failure.Text(err), err: err, lasting: true}
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url, bytes.NewReader(lines))
	if err != nil {
		return &refusal{text: "the target is no URL to send to"}
	}
	request.Header.Set("Content-Type", "application/x-ndjson")
	request.Header.Set("User-Agent", w.agent)
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := w.client.Do(request)
	if err != nil {
		return unanswered(err, token)
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(response.Body, maxAnswer)) // whether it is whole matters to nobody
	return judge(response, body, token)
}

// unanswered is a delivery without an answer.
func unanswered(err error, token string) error {
	var of *url.Error
	if errors.As(err, &of) {
		if of.Timeout() {
			return &setback{text: "no answer in time", err: err}
		}
		err = of.Err // without the URL, in which there may be a key
	}
	return unreached(err, token)
}

const (
	elsewhereHint = "give that address instead, if it is the right one"
	tokenHint     = "look at the token (--token-file, or token_file in a station's file)"
)

// judge makes of an answer what it means for the lines.
func judge(r *http.Response, body []byte, token string) error {
	code := r.StatusCode
	text := said(strings.TrimSpace(fmt.Sprintf("%d %s", code, http.StatusText(code))))
	if words := wordsOf(r, body, token); words != "" {
		text += ": " + words
	}
	switch {
	case code >= 200 && code < 300:
		return nil
	case code >= 300 && code < 400:
		return &refusal{text: "the server sends elsewhere, " + text + placeOf(r, token),
			hint: elsewhereHint}
	case code == http.StatusRequestTimeout, code == http.StatusTooEarly, code == http.StatusTooManyRequests, code >= 500:
		return &setback{text: "the server says " + text, after: retryAfter(r.Header.Get("Retry-After"), time.Now())}
	case code == http.StatusUnauthorized, code == http.StatusForbidden:
		return &refusal{text: "the server says " + text, hint: tokenHint}
	}
	return &refusal{text: "the server says " + text, ofLines: code == http.StatusBadRequest ||
		code == http.StatusRequestEntityTooLarge || code == http.StatusUnprocessableEntity || code == http.StatusConflict}
}

// wordsOf are the server's own words, if they are for people: an HTML page is not.
func wordsOf(r *http.Response, body []byte, token string) string {
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if kind != "" && !strings.HasPrefix(kind, "text/plain") && !strings.HasSuffix(kind, "json") {
		return ""
	}
	return said(string(body), token)
}

// placeOf says where a server sends to, without a query.
func placeOf(r *http.Response, token string) string {
	to, err := r.Location()
	if err != nil {
		return ""
	}
	return " to " + said(to.Scheme+"://"+to.Host+to.Path, token)
}

// retryAfter is how long a server asks to be left alone: seconds, or a date (RFC 9110, 10.2.3); 0 if it does not say.
func retryAfter(text string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseInt(text, 10, 32); err == nil {
		return max(0, time.Duration(seconds)*time.Second)
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}
