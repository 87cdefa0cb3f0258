package page_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/page"
)

func TestTokensCannotBeTriedFast(t *testing.T) {
	for _, token := range []string{"", "correct horse battery"} {
		synctest.Test(t, func(t *testing.T) {
			p := page.New(page.Options{Token: token})
			began := time.Now()
			got := ask(p, "POST", "/login", `{"token":""}`, "Content-Type", asJSON)
			if got.StatusCode != 401 || time.Since(began) < time.Second {
				t.Errorf("a wrong token was refused with %d after %v", got.StatusCode, time.Since(began))
			}
		})
	}
}
