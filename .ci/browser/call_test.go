package browser

import (
	"context"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/chromedp"
)

// call gives a tab a command of the protocol that has no action.
func call[P, R any](b *tab, command cdp.Command[P, R], params P) R {
	b.t.Helper()
	if chromedp.FromContext(b.ctx).Target == nil {
		b.do() // the context of the first call is that of the tab
	}
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	r, err := chromedp.Call(ctx, command, params)
	if err != nil {
		b.t.Fatalf("%s: %v", command.Method, err)
	}
	return r
}
