// The station's page in a real Chromium. A module of its own, so that the product's go.mod does not grow; with a path
// below cmd/smpctl, because what it tests is internal to that.
module github.com/smpctl/smpctl/cmd/smpctl/browser

go 1.26.0

replace github.com/smpctl/smpctl => ../..

require (
	github.com/chromedp/cdproto v0.159.0
	github.com/chromedp/chromedp v0.23.0
	github.com/smpctl/smpctl v0.0.0-00010101000000-000000000000
)

require github.com/go-json-experiment/json v0.0.0-20260214004413-d219187c3433 // indirect
