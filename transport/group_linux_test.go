package transport_test

import (
	"errors"
	"os"
	"os/user"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/smpctl/smpctl/transport"
)

// TestPermissionNamesTheGroup has another user find the port closed, who is in no group.
func TestPermissionNamesTheGroup(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can become another user")
	}
	for _, tt := range []struct {
		name  string
		mode  os.FileMode
		group int
		named bool
	}{
		{"for a group", 0o660, 5, true},
		{"for a group to read", 0o640, 5, false},
		{"for root", 0o600, 5, false},
		{"for the group of root", 0o660, 0, false},
		{"for a group without a name", 0o660, 54321, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, name := newPTY(t)
			then := time.Now().Add(-time.Hour)
			if err := errors.Join(os.Chmod(name, tt.mode), os.Chown(name, -1, tt.group),
				os.Chtimes(name, then, then)); err != nil {
				t.Fatal(err)
			}
			want := "denied"
			if tt.named {
				want += " " + groupOf(t, name)
			}
			other := startChild(t, "nobody", name)
			other.leave()
			if other.says != want {
				t.Errorf("the other user says %q, want %q", other.says, want)
			}
		})
	}
}

// groupOf asks the standard library for the group of a file, the number if it has no name.
func groupOf(t *testing.T, name string) string {
	t.Helper()
	var node unix.Stat_t
	if err := unix.Stat(name, &node); err != nil {
		t.Fatal(err)
	}
	id := strconv.Itoa(int(node.Gid))
	if group, err := user.LookupGroupId(id); err == nil {
		return group.Name
	}
	return id
}

// TestGroupNeeded goes by databases that were written for it.
func TestGroupNeeded(t *testing.T) {
	const (
		groups = "root:x:0:\n# comment\n\nbroken:x\n:x:20:ghost\ndialout:x:20:ann,bob\nuucp:x:14:\n" +
			"more:x:20:carl\nplugdev:x:46: \n"
		users = "root:x:0:0::/root:/bin/sh\nann:x:1000:1000:Ann:/home/ann:/bin/sh\n" +
			"dora:x:1001:14::/home/dora:/bin/sh\nbroken:x:1003\n" +
			"fay:x:1004:777::/home/fay:/bin/sh\n"
	)
	for _, tt := range []struct {
		name   string
		mode   uint32
		group  uint32
		user   int
		in     []int
		known  string // to the session
		want   string
		listed bool
	}{
		{"is in no such group", 0o660, 46, 1000, []int{1000}, "ann", "plugdev", false},
		{"was put into it since", 0o660, 20, 1000, []int{1000}, "", "dialout", true},
		{"has it as the first group since", 0o660, 14, 1001, []int{1001}, "", "uucp", true},
		{"is in it", 0o660, 20, 1000, []int{1000, 20}, "ann", "", false},
		{"is on a server, and in it since", 0o660, 20, 5000, []int{5000}, "bob", "dialout", true},
		{"is on a server", 0o660, 20, 5000, []int{5000}, "eve", "dialout", false},
		{"has no name", 0o660, 46, 5000, []int{5000}, "", "plugdev", false},
		{"has another name now", 0o660, 20, 1000, []int{1000}, "eve", "dialout", true},
		{"the group is on a server", 0o660, 777, 1000, []int{1000}, "ann", "777", false},
		{"the group is on a server, and the first one since", 0o660, 777, 1004, []int{1004}, "", "777", true},
		{"the group may only read", 0o640, 20, 1000, []int{1000}, "ann", "", false},
		{"the group may only write", 0o620, 20, 1000, []int{1000}, "ann", "", false},
		{"the group is that of root", 0o660, 0, 1000, []int{1000}, "ann", "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			etc := fakeProc(t, map[string]string{"group": groups, "passwd": users})
			node := unix.Stat_t{Mode: tt.mode, Gid: tt.group}
			group, listed := transport.GroupNeeded(etc, node, tt.user, tt.in, tt.known)
			if group != tt.want || listed != tt.listed {
				t.Errorf("got %q, %v, want %q, %v", group, listed, tt.want, tt.listed)
			}
		})
	}
	for name, files := range map[string]map[string]string{
		"without databases":      nil,
		"with a line of 2 MiB":   {"group": strings.Repeat("x", 2<<20) + "\ndialout:x:20:ann\n"},
		"with a huge number":     {"group": "dialout:x:" + strings.Repeat("9", 100) + ":ann\n", "passwd": "a:b:c:d\n"},
		"with a folder in place": {"group/x": ""},
	} {
		t.Run(name, func(t *testing.T) {
			node := unix.Stat_t{Mode: 0o660, Gid: 20}
			group, listed := transport.GroupNeeded(fakeProc(t, files), node, 1000, nil, "ann")
			if group != "20" || listed {
				t.Errorf("got %q, %v, want the number", group, listed)
			}
		})
	}
}
