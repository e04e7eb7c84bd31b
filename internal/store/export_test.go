package store

import "database/sql"

// OnlyForTests returns the database itself.
func OnlyForTests(s *Store) *sql.DB { return s.db.DB }
