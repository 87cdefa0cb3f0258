// Package outbox sends the lines of a journal to a company's own system over HTTPS, or into PostgreSQL.
//
//	journal (append-only files)            cursor (a small file beside them)
//	  412 ────────┐                          seq 412, SHA-256 of that line, where it begins
//	  413 ┐       └ sent last ──────────────────┘
//	  414 ┘ a batch ──> https: POST of JSON lines     2xx     ──> cursor 414
//	  415 …             postgres: INSERT, the same lines  commit ──┘
//
// The journal is the outbox: nothing is copied, queued or deleted. Lines go in their order and at least once, for a
// connection may end before the answer comes; who takes them knows each by the name of its station and its seq. The
// lock of the journal is left alone, so that a station may write while this sends.
//
// What is not here: which records there are and what they mean (package journal), and when to send.
package outbox
