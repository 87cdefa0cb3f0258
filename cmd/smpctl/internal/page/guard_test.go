package page_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/page"
)

// ask is the answer of a page to a request with these headers, Host among them.
func ask(p *page.Page, method, path, body string, headers ...string) *http.Response {
	r := httptest.NewRequest(method, "http://localhost:8080/", strings.NewReader(body))
	r.URL.Path, r.RequestURI, r.Host = path, path, "localhost:8080"
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			r.Host = headers[i+1]
			continue
		}
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	p.Handler().ServeHTTP(w, r)
	return w.Result()
}

const asJSON = "application/json"

func TestWhatIsNotOfThePageIsRefused(t *testing.T) {
	scan := `{"text":"SN0001234"}`
	for _, tt := range []struct {
		name, method, path, body string
		headers                  []string
		want                     int
	}{
		{"foreign host", "GET", "/", "", []string{"Host", "evil.example"}, 403},
		{"foreign host that resolves here", "GET", "/stream", "", []string{"Host", "127.0.0.1.nip.io:8080"}, 403},
		{"host that begins like ours", "GET", "/", "", []string{"Host", "localhost.evil.example"}, 403},
		{"address of another computer", "GET", "/", "", []string{"Host", "192.0.2.1:8080"}, 403},
		{"unspecified address", "GET", "/", "", []string{"Host", "0.0.0.0:8080"}, 403},
		{"address as a number", "GET", "/", "", []string{"Host", "2130706433"}, 403},
		{"no host", "GET", "/", "", []string{"Host", ""}, 403},
		{"foreign host that scans", "POST", "/scan", scan, []string{"Host", "evil.example", "Content-Type", asJSON}, 403},
		{"foreign origin", "POST", "/scan", scan, []string{"Origin", "https://evil.example", "Content-Type", asJSON}, 403},
		{"origin null", "POST", "/scan", scan, []string{"Origin", "null", "Content-Type", asJSON}, 403},
		{"origin of another port", "POST", "/scan", scan,
			[]string{"Origin", "http://localhost:9", "Content-Type", asJSON}, 403},
		{"cross-site form", "POST", "/scan", "text=SN1",
			[]string{"Sec-Fetch-Site", "cross-site", "Content-Type", "application/x-www-form-urlencoded"}, 403},
		{"same-site request", "POST", "/button", `{"slot":"A1"}`,
			[]string{"Sec-Fetch-Site", "same-site", "Content-Type", asJSON}, 403},
		{"form of an old browser", "POST", "/scan", "text=SN1",
			[]string{"Content-Type", "application/x-www-form-urlencoded"}, 415},
		{"JSON that says it is text", "POST", "/scan", scan, []string{"Content-Type", "text/plain"}, 415},
		{"no type", "POST", "/scan", scan, nil, 415},
		{"GET that scans", "GET", "/scan", "", nil, 405},
		{"GET that starts", "GET", "/button", "", nil, 405},
		{"GET that acknowledges", "GET", "/acknowledge", "", nil, 405},
		{"HEAD that scans", "HEAD", "/scan", "", nil, 405},
		{"PUT", "PUT", "/scan", scan, []string{"Content-Type", asJSON}, 405},
		{"path out of the page", "GET", "/web/page.html", "", nil, 404},
		{"path with an escaped traversal", "GET", "/%2e%2e/%2e%2e/etc/passwd", "", nil, 404},
		{"path of Windows", "GET", `/..\..\windows\win.ini`, "", nil, 404},
		{"source of the page", "GET", "/page.go", "", nil, 404},
		{"too long", "POST", "/scan", `{"text":"` + strings.Repeat("x", 5000) + `"}`, []string{"Content-Type", asJSON}, 413},
		{"another key", "POST", "/scan", `{"text":"x","slot":"A1"}`, []string{"Content-Type", asJSON}, 400},
		{"two values", "POST", "/scan", scan + scan, []string{"Content-Type", asJSON}, 400},
		{"no value", "POST", "/scan", "", []string{"Content-Type", asJSON}, 400},
		{"a list", "POST", "/scan", "[]", []string{"Content-Type", asJSON}, 400},
		{"deep value", "POST", "/scan", strings.Repeat("[", 4000), []string{"Content-Type", asJSON}, 400},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := page.New(page.Options{})
			got := ask(p, tt.method, tt.path, tt.body, tt.headers...)
			if got.StatusCode != tt.want {
				t.Errorf("status %d, want %d", got.StatusCode, tt.want)
			}
			select {
			case in := <-p.Inputs():
				t.Errorf("it reached the station: %+v", in)
			default:
			}
			checkHeaders(t, got)
		})
	}
}

func TestWhatIsOfThePageIsAnswered(t *testing.T) {
	for _, host := range []string{"localhost", "LOCALHOST:1", "127.0.0.1:8080", "127.1.2.3", "[::1]:8080", "::1", "[::1]"} {
		if got := ask(page.New(page.Options{}), "GET", "/", "", "Host", host); got.StatusCode != 200 {
			t.Errorf("GET / for %q = %d, want 200", host, got.StatusCode)
		}
	}
	for _, tt := range []struct {
		path, body string
		want       page.Input
	}{
		{"/scan", `{"text":"SN0001234"}`, page.Input{Kind: page.Scan, Text: "SN0001234"}},
		{"/button", `{"slot":"A1"}`, page.Input{Kind: page.Button, Slot: "A1"}},
		{"/acknowledge", `{"message":"m1"}`, page.Input{Kind: page.Acknowledge, Message: "m1"}},
	} {
		p := page.New(page.Options{})
		got := ask(p, "POST", tt.path, tt.body, "Content-Type", asJSON, "Origin", "http://localhost:8080",
			"Sec-Fetch-Site", "same-origin")
		if got.StatusCode != 204 {
			t.Fatalf("POST %s = %d, want 204", tt.path, got.StatusCode)
		}
		if in := <-p.Inputs(); in != tt.want {
			t.Errorf("POST %s gave %+v, want %+v", tt.path, in, tt.want)
		}
	}
}

func TestAStationThatIsBusySaysSo(t *testing.T) {
	p := page.New(page.Options{})
	for i := range 1000 {
		got := ask(p, "POST", "/scan", `{"text":"x"}`, "Content-Type", asJSON)
		if got.StatusCode == http.StatusServiceUnavailable {
			return
		}
		if i > 100 {
			t.Fatal("inputs that nobody reads pile up")
		}
	}
}

func TestNothingIsShownWithoutTheToken(t *testing.T) {
	p := page.New(page.Options{Token: "correct horse battery"})
	p.Show(page.View{Station: "line2-a"})
	if got := read(t, ask(p, "GET", "/", "")); strings.Contains(got, "line2-a") || !strings.Contains(got, `id="login"`) {
		t.Errorf("page for a stranger:\n%s", got)
	}
	for _, r := range []struct{ method, path, body string }{
		{"GET", "/stream", ""}, {"POST", "/scan", `{"text":"x"}`}, {"POST", "/button", `{"slot":"A1"}`},
		{"POST", "/acknowledge", `{"message":"x"}`},
	} {
		got := ask(p, r.method, r.path, r.body, "Content-Type", asJSON, "Cookie", "__Host-smpctl-station=")
		if got.StatusCode != 401 {
			t.Errorf("%s %s = %d, want 401", r.method, r.path, got.StatusCode)
		}
	}
	got := ask(p, "POST", "/login", `{"token":"correct horse battery"}`, "Content-Type", asJSON, "Host", "station:8443")
	if got.StatusCode != 204 || len(got.Cookies()) != 1 {
		t.Fatalf("login = %d with %d cookies", got.StatusCode, len(got.Cookies()))
	}
	c := got.Cookies()[0]
	if !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || strings.Contains(c.Value, "horse") {
		t.Errorf("cookie %v", c)
	}
	known := read(t, ask(p, "GET", "/", "", "Cookie", c.Name+"="+c.Value, "Host", "station:8443"))
	if !strings.Contains(known, "line2-a") {
		t.Errorf("page for who knows the token:\n%s", known)
	}
}

// checkHeaders holds that an answer says what browsers may do with it.
func checkHeaders(t *testing.T, r *http.Response) {
	t.Helper()
	for name, want := range map[string]string{
		"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; " +
			"img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
		"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "Referrer-Policy": "no-referrer",
		"X-Frame-Options": "DENY",
	} {
		if got := r.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}
