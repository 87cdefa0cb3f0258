// Package trust has the public keys that the user trusts: it reads them, and holds images against them. Who is told of
// what it finds is the caller's business.
package trust
