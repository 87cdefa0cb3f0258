package browser

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

var (
	axeFile  = flag.String("axe", "", "axe.min.js of the package axe-core; without it accessibility is not looked at")
	pictures = flag.String("pictures", "", "folder in which pictures of the page are written anew")
	smpctl   = flag.String("smpctl", "", "the program; without it whole stations are not run")
)

// hosts lead everything but this computer nowhere, and names of an attacker to it.
const hosts = "MAP evil.example 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"

// browser is what tabs of all tests belong to.
var browser context.Context

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(run(m))
}

// run starts the browser of all tests and ends it, with all of its processes.
func run(m *testing.M) int {
	var process *exec.Cmd
	all, stop := context.WithTimeout(context.Background(), 15*time.Minute)
	defer stop()
	options := []chromedp.ExecAllocatorOption{
		chromedp.Headless, chromedp.NoSandbox, chromedp.NoFirstRun, chromedp.DisableGPU,
		chromedp.ModifyCmdFunc(func(c *exec.Cmd) {
			c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
			process = c
		}),
		chromedp.Flag("host-resolver-rules", hosts),
		chromedp.Flag("force-color-profile", "srgb"),
		chromedp.Flag("hide-scrollbars", true),
	}
	for _, off := range []string{"quic", "background-networking", "component-update", "sync", "breakpad", "extensions",
		"default-apps", "dev-shm-usage", "renderer-backgrounding", "background-timer-throttling"} {
		options = append(options, chromedp.Flag("disable-"+off, true))
	}
	allocator, free := chromedp.NewExecAllocator(all, options...)
	defer free()
	ctx, cancel := chromedp.NewContext(allocator)
	defer cancel()
	if err := chromedp.Do(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "chromium does not start:", err)
		return 1
	}
	defer func() { _ = syscall.Kill(-process.Process.Pid, syscall.SIGKILL) }()
	browser = ctx
	return m.Run()
}
