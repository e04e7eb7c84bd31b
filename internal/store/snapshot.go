package store

import (
	"context"

	"chancery/internal/fault"
	"chancery/internal/store/dialect"
)

// Snapshot writes the database as it stands at one moment to a new file, while it is
// in use. PostgreSQL has its own way (fault.Usage).
func (s *Store) Snapshot(ctx context.Context, name string) error {
	if s.db.ForUpdate != "" {
		return fault.Usage.New("a PostgreSQL database is backed up by its own means").WithHint("pg_dump, or a standby; together with a mirror either is whole")
	}
	return dialect.Explain(ctx, s.db.Snapshot(ctx, name), "write a backup")
}
