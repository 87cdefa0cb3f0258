package browser

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/smpctl/smpctl/cmd/smpctl/internal/page"
)

// attacks is what a page of somebody else tries against a station: each says how it ended, "refused" at best, and
// "sent" where a browser does not tell. Whether it reached the station, the station knows.
const attacks = `(async (station) => {
	const label = JSON.stringify({ text: "SN6666666" }), start = JSON.stringify({ slot: "B2" });
	const json = { "Content-Type": "application/json" };
	const body = document.body, add = (name, attributes) => {
		const e = document.createElement(name);
		for (const [key, value] of Object.entries(attributes)) e[key] = value;
		body.append(e);
		return e;
	};
	const loaded = (e) => new Promise((resolve) => { e.onload = () => resolve("loaded"); e.onerror = () => resolve("refused"); });
	const read = async (options, path = "/") => (await fetch(station + path, options)).text();
	const form = (path, name, value) => {
		const frame = add("iframe", { name: "f" + Math.random() });
		const f = add("form", { method: "post", action: station + path, enctype: "text/plain", target: frame.name });
		const field = document.createElement("input");
		field.name = name;
		field.value = value;
		f.append(field);
		f.submit();
		return loaded(frame).then(() => "sent");
	};
	const tries = {
		"own server": () => fetch("/own").then((r) => r.text()), // that the attacks run at all
		"read the page": () => read(),
		"read the stream": () => read({}, "/stream"),
		"read it with cookies": () => read({ credentials: "include" }),
		"fetch without asking": () => fetch(station + "/scan", { method: "POST", mode: "no-cors", body: label }).then(() => "sent"),
		"fetch as JSON": () => read({ method: "POST", headers: json, body: label }, "/scan"),
		"button as JSON": () => read({ method: "POST", headers: json, body: start }, "/button"),
		"PUT": () => read({ method: "PUT", headers: json, body: label }, "/scan"),
		"beacon": async () => String(navigator.sendBeacon(station + "/scan", label)).replace("true", "sent"),
		"beacon as JSON": async () =>
			String(navigator.sendBeacon(station + "/scan", new Blob([label], { type: "application/json" }))).replace("true", "sent"),
		"form": () => form("/scan", '{"text":"SN6666666","a":"', '"}'),
		"form of a button": () => form("/button", '{"slot":"B2","a":"', '"}'),
		"picture": () => loaded(add("img", { src: station + "/button?slot=B2" })),
		"picture that scans": () => loaded(add("img", { src: station + "/scan?text=SN6666666" })),
		"picture of the page": () => loaded(add("img", { src: station + "/icon.svg" })),
		"script": () => loaded(add("script", { src: station + "/page.js" })),
		"style": () => loaded(add("link", { rel: "stylesheet", href: station + "/page.css" })),
		"events": () => new Promise((resolve) => {
			const s = new EventSource(station + "/stream");
			s.onerror = () => resolve("refused");
			s.addEventListener("view", (e) => resolve(e.data));
		}),
		"events with cookies": () => new Promise((resolve) => {
			const s = new EventSource(station + "/stream", { withCredentials: true });
			s.onerror = () => resolve("refused");
			s.addEventListener("view", (e) => resolve(e.data));
		}),
		"socket": () => new Promise((resolve) => {
			const s = new WebSocket(station.replace("http", "ws") + "/stream");
			s.onerror = () => resolve("refused");
			s.onopen = () => resolve("open");
		}),
		"frame": () => loaded(add("iframe", { src: station + "/", className: "framed" })).then(() => "sent"),
		"frame without an origin": () => new Promise((resolve) => {
			addEventListener("message", (e) => resolve(e.data));
			add("iframe", { sandbox: "allow-scripts", srcdoc: "<script>fetch('" + station +
				"/scan', { method: 'POST', mode: 'no-cors', body: '" + label + "' })" +
				".then(() => 'sent', () => 'refused').then((o) => parent.postMessage(o, '*'))</" + "script>" });
		}),
		"window": async () => {
			const w = open(station + "/");
			if (!w) return "no window";
			for (let i = 0; i < 100 && !w.closed; i++) await new Promise((r) => setTimeout(r, 50));
			return w.closed ? "refused" : "held";
		},
	};
	const ends = await Promise.all(Object.entries(tries).map(async ([name, attempt]) => {
		const late = new Promise((resolve) => setTimeout(() => resolve("no answer"), 8000));
		return [name, await Promise.race([attempt().catch(() => "refused"), late])];
	}));
	return Object.fromEntries(ends);
})`

// blind are attacks after which a browser does not tell the attacker how they ended.
var blind = map[string]string{"form": "sent", "form of a button": "sent", "frame": "sent", "beacon": "sent",
	"beacon as JSON": "sent", "own server": "own"}

// attacker serves an empty page of somebody else.
func attacker(t *testing.T) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, "<!doctype html><title>evil</title><body>evil")
	})
	mux.HandleFunc("GET /own", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "own") })
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://127.0.0.1")
}

func TestPagesOfOthersReachNothing(t *testing.T) {
	t.Parallel()
	s := serve(t, story())
	port := attacker(t)
	for _, from := range []string{"http://evil.example" + port, "http://127.0.0.1" + port, "http://localhost" + port} {
		t.Run(from[:strings.LastIndexByte(from, ':')], func(t *testing.T) {
			b := openTab(t, wall)
			b.do(navigate(from))
			ends := withGesture[map[string]string](b, attacks+"("+quote(s.url)+")")
			for _, name := range slices.Sorted(maps.Keys(ends)) {
				want := "refused"
				if w, ok := blind[name]; ok {
					want = w
				}
				if ends[name] != want {
					t.Errorf("%s: %s, want %s", name, ends[name], want)
				}
			}
			if said := strings.Join(b.said(), "\n"); !strings.Contains(said, "frame-ancestors") {
				t.Errorf("it was framed: no frame was refused:\n%s", said)
			}
			s.untouched()
		})
	}
	// And who belongs here is served, whatever others have left open.
	b := visit(t, wall, s.url)
	b.keys("SN0000001\r")
	if in := s.entered(); in.Text != "SN0000001" {
		t.Errorf("entered %+v", in)
	}
}

// withGesture evaluates as if the user had clicked, so that windows open.
func withGesture[T any](b *tab, expression string) T {
	b.t.Helper()
	yes := true
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise,
		func(p *runtime.EvaluateParams) { p.UserGesture = &yes }))
	if err != nil {
		b.t.Fatal(err)
	}
	return v
}

// A name of an attacker that leads to this computer makes his script one of the same origin, for the browser.
func TestANameThatWasBoundAnew(t *testing.T) {
	t.Parallel()
	s := serve(t, story())
	evil := strings.Replace(s.url, "127.0.0.1", "evil.example", 1)
	b := openTab(t, wall)
	b.do(navigate(evil))
	if text := b.text(); strings.Contains(text, "line2-a") || !strings.Contains(text, "only for the computer") {
		t.Errorf("the page of a foreign name: %q", text)
	}
	status := eval[map[string]int](b, `(async () => {
		const post = { method: "POST", headers: { "Content-Type": "application/json" } };
		const all = [["/"], ["/stream"], ["/page.js"], ["/scan", { ...post, body: '{"text":"SN6666666"}' }],
			["/button", { ...post, body: '{"slot":"B2"}' }], ["/acknowledge", { ...post, body: '{"message":"w1"}' }]];
		const found = {};
		for (const [path, options] of all) found[path] = (await fetch(path, options)).status;
		return found;
	})()`)
	if len(status) != 6 {
		t.Errorf("tried %v", status)
	}
	for path, code := range status {
		if code != http.StatusForbidden {
			t.Errorf("%s: %d, want 403", path, code)
		}
	}
	s.untouched()
}

func TestPathsLeadNowhere(t *testing.T) {
	t.Parallel()
	s := serve(t, story())
	b := openTab(t, wall)
	for _, path := range []string{"/../../../../etc/passwd", "/..%2f..%2f..%2fetc/passwd", "/%2e%2e/%2e%2e/etc/passwd",
		"/web/../page.go", `/..\..\etc\passwd`, "/page.js/..%2f..%2fpage.go", "/stream/../records", "/records/", "/%00"} {
		b.do(navigate(s.url + path))
		if text := b.text(); !strings.Contains(text, "404") && !strings.Contains(text, "Not Found") &&
			!strings.Contains(text, "400") {
			t.Errorf("%s: %q", path, text)
		}
	}
	s.untouched()
}

// GET changes nothing, wherever it comes from: here from the address bar.
func TestAddressesChangeNothing(t *testing.T) {
	t.Parallel()
	s := serve(t, withMessage())
	b := openTab(t, wall)
	for _, path := range []string{"/scan?text=SN6666666", "/button?slot=B2", "/acknowledge?message=w1",
		"/?scan=SN6666666&slot=B2", "/#SN6666666"} {
		b.do(navigate(s.url + path))
	}
	b.wait(`document.querySelectorAll("#tiles li").length === 8`)
	s.untouched()
}

// scripts are what a hostile board, label or server may call itself.
var scripts = []string{
	`<script>window.__pwned=1</script>`, `<img src=x onerror="window.__pwned=1">`, `"><svg onload=window.__pwned=1>`,
	`</script><script>window.__pwned=1</script>`, `javascript:window.__pwned=1`, "'-(window.__pwned=1)-'",
	`{{window.__pwned=1}}${window.__pwned=1}`, `</title><script>window.__pwned=1</script>`,
	"x\n\nevent: view\ndata: {}", "\u202eSSAP\u202c", "\x1b[2J\x07", "<style>*{display:none}</style>",
	`<base href="http://evil.example/">`, `<meta http-equiv=refresh content="0;url=http://evil.example/">`,
}

func TestScriptsOfAHostileBoardAreText(t *testing.T) {
	t.Parallel()
	s := serve(t, story())
	b := visit(t, wall, s.url)
	eval[any](b, `window.dialogs = 0; window.alert = window.confirm = window.prompt = () => { dialogs++; }`)
	for _, script := range scripts {
		v := hostile(script)
		s.Show(v)
		b.wait(`document.querySelector("#history tr td + td + td").textContent.length > 2 && ` +
			`document.querySelector("[data-count=pass]").innerText === "` + fmt.Sprint(v.Counters.Pass) + `"`)
		b.do(chromedp.Reload()) // the document itself has some of it too
		b.wait(live)
		b.wait(`document.querySelectorAll("#tiles li").length === 8`)
		if eval[bool](b, `window.__pwned !== undefined`) {
			t.Fatalf("%q ran", script)
		}
		if n := eval[int](b, `document.querySelectorAll("script").length + document.querySelectorAll("img, base, style").length +
			document.querySelectorAll("meta[http-equiv]").length`); n != 1 {
			t.Errorf("%q made elements: %d", script, n)
		}
		if got := eval[string](b, `document.querySelector("[data-state=fail] .detail").textContent`); plainer(got) != plainer(script) {
			t.Errorf("%q is shown as %q", script, got)
		}
	}
	b.silent() // not even the policy had to refuse something
}

// plainer leaves of a text what ends up the same however it is cleaned.
func plainer(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == ' ' || r == '\ufffd' || r == '\u202e' || r == '\u202c' {
			return -1
		}
		return r
	}, s)
}

var shown = 1000

// hostile is a view in which every text of a board is one.
func hostile(text string) page.View {
	v := story()
	shown++
	v.Station, v.Image, v.Counters.Pass = text, text, shown
	for i := range v.Tiles {
		t := &v.Tiles[i]
		t.Board, t.Detail, t.Advice = text, text, text
	}
	v.Tiles[0].Slot = text
	v.Messages = []page.Message{{ID: text, Level: page.Level(text), Text: text, Acknowledge: true}}
	for i := range v.History {
		p := &v.History[i]
		p.Board, p.Label, p.Kind, p.Slot = text, text, text, text
	}
	return v
}

// What if markup did get into the page: the policy is a second wall.
func TestThePolicyHoldsWhatMarkupWouldRun(t *testing.T) {
	t.Parallel()
	b := visit(t, wall, serve(t, story()).url)
	eval[any](b, `document.body.insertAdjacentHTML("beforeend", '<img src="data:," onerror="window.__pwned=1">' +
		'<iframe srcdoc="<script>parent.__pwned=1<\/script>"></iframe><form action="http://evil.example/"><button id="go">' +
		'</button></form><a id="js" href="javascript:window.__pwned=1">x</a>');
		const s = document.createElement("script"); s.textContent = "window.__pwned=1"; document.body.append(s);
		document.querySelector("#go").click(); document.querySelector("#js").click();`)
	if got := eval[string](b, `new Promise((resolve) => setTimeout(() => resolve(String(window.__pwned) + " " + location.host), 300))`); got !=
		"undefined "+eval[string](b, `location.host`) {
		t.Errorf("it ran: %s", got)
	}
	refusals := 0
	for _, line := range b.said() {
		if strings.Contains(line, "Content Security Policy") {
			refusals++
		}
	}
	if refusals < 4 {
		t.Errorf("the policy refused %d times, want 4: %q", refusals, b.said())
	}
}
