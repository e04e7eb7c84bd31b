package measure

import "context"

func PValue(ctx context.Context, c Config) (Table, error) { return Table{}, nil }

func Align(ctx context.Context, c Config) (Table, error) { return Table{}, nil }
