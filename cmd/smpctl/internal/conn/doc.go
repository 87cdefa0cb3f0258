// Package conn has the commands about connections: ports shows what is plugged in and what answers there, conn keeps
// profiles.
package conn
