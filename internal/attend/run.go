package attend

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"chancery/internal/fault"
)

// wait is how long a party waits for news at a time, and pause how long it rests
// after a failure.
const (
	wait  = 20 * time.Second
	pause = time.Second
)

// attend does round after round until ctx ends. A failure is told and waited out; only
// a log that contradicts itself, or files that do not fit it, end it.
func attend(ctx context.Context, logger *slog.Logger, round func() error) error {
	for {
		err := round()
		if ctx.Err() != nil {
			return nil
		}
		if err == nil {
			continue
		}
		if errors.Is(err, fault.Mismatch) {
			return err
		}
		logger.Warn("waits", "why", fault.Escape(err.Error()))
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
	}
}
