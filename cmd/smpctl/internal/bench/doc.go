// Package bench has the command bench: it connects, has package measure find out what the link carries, and shows that.
package bench
