package transport

import (
	"bufio"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// maxUserDatabase is how much of /etc/group and /etc/passwd is read, in bytes.
const maxUserDatabase = 1 << 20

// groupNeeded returns the group that somebody has to be in who may not open the port, and whether the user is in it
// since this session began. It is empty if that is not the obstacle.
func groupNeeded(port string, cause error) (group string, listed bool) {
	var node unix.Stat_t
	if !errors.Is(cause, unix.EACCES) || unix.Stat(port, &node) != nil {
		return "", false
	}
	groups, err := os.Getgroups()
	if err != nil {
		return "", false
	}
	u := user{id: os.Getuid(), groups: append(groups, os.Getegid()), name: os.Getenv("USER")}
	return u.groupNeeded("/etc", node)
}

// user is somebody in a session.
type user struct {
	id     int
	groups []int  // of the session
	name   string // if the database does not know it, as with users that a server has
}

// groupNeeded looks in a folder that has files as group(5) and passwd(5) say. The libraries for it may ask a server,
// and wait for it.
func (u user) groupNeeded(etc string, node unix.Stat_t) (group string, listed bool) {
	const needed = unix.S_IRGRP | unix.S_IWGRP
	id := int(node.Gid)
	if node.Mode&needed != needed || id == 0 || slices.Contains(u.groups, id) {
		return "", false // nobody should join the group of root for a port
	}
	primary := ""
	if entry := lookUp(etc, "passwd", u.id); entry != nil {
		u.name, primary = entry[0], entry[3]
	}
	number := strconv.Itoa(id)
	entry := lookUp(etc, "group", id)
	if entry == nil {
		return number, primary == number
	}
	members := strings.Split(entry[3], ",")
	return entry[0], primary == number || u.name != "" && slices.Contains(members, u.name)
}

// lookUp returns the fields of a user or a group, at least four; nil if it is not listed. The third is the number.
func lookUp(etc, database string, id int) []string {
	file, err := os.Open(filepath.Join(etc, database))
	if err != nil {
		return nil
	}
	defer file.Close()
	lines := bufio.NewScanner(io.LimitReader(file, maxUserDatabase))
	lines.Buffer(nil, maxUserDatabase)
	for lines.Scan() {
		entry := strings.Split(strings.TrimSpace(lines.Text()), ":")
		if len(entry) >= 4 && entry[0] != "" && entry[2] == strconv.Itoa(id) {
			return entry
		}
	}
	return nil
}
