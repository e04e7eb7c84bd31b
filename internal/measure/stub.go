package measure

import "context"

func Innocents(ctx context.Context, c Config) (Table, error) { return Table{}, nil }

func Anytime(ctx context.Context, c Config) (Table, error) { return Table{}, nil }

func PValue(ctx context.Context, c Config) (Table, error) { return Table{}, nil }

func Align(ctx context.Context, c Config) (Table, error) { return Table{}, nil }
