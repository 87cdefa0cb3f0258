// Package schema makes the JSON Schemas of docs/schema from the types of results and their comments, and holds what
// smpctl prints against them. Only tests use it.
package schema
