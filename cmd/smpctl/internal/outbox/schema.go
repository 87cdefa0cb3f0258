package outbox

import _ "embed"

// Schema is the SQL that makes what PostgreSQL has to have to take records. It may be run again.
//
//go:embed schema.sql
var Schema string
