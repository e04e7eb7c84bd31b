// Package schema holds the tables of the registry as migrations, one text for
// SQLite and PostgreSQL. A migration that was released is never changed: the
// next one mends it.
package schema

import "embed"

// Files are the migrations, NNNNN_name.sql.
//
//go:embed *.sql
var Files embed.FS
