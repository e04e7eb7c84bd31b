-- Bodies that come before their entry, in parts, so that an entry for thousands never
-- lies in anybody's memory as a whole.

-- +goose Up

-- owner is the device that hands them over; at, when it did, in seconds since 1970.
CREATE TABLE log_staged (
	owner      TEXT   NOT NULL,
	commitment BYTEA  NOT NULL,
	part       BIGINT NOT NULL,
	party      TEXT   NOT NULL,
	data       BYTEA  NOT NULL,
	at         BIGINT NOT NULL,
	PRIMARY KEY (owner, commitment, part),
	UNIQUE (owner, commitment, party)
);
CREATE INDEX log_staged_at ON log_staged (at);

-- +goose Down
DROP TABLE log_staged;
