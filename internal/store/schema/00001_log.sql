-- The custody log: leaves, hashes of the tree, sealed bodies, the head.
-- What is stored here opens nothing and names nobody but parties' keys.

-- +goose Up

-- One row: the newest checkpoint, as the log signed it. Whoever holds its
-- lock sequences.
CREATE TABLE log_head (
	id         BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
	size       BIGINT NOT NULL,
	checkpoint BYTEA  NOT NULL
);

-- A leaf, with the hashes of the tree that are complete with it: its own, and
-- one for each level above on which it is the last.
CREATE TABLE log_leaf (
	idx        BIGINT NOT NULL PRIMARY KEY,
	commitment BYTEA  NOT NULL UNIQUE,
	hashes     BYTEA  NOT NULL
);

-- Entries as sealed to a party; an open one has the party ''.
CREATE TABLE log_body (
	idx   BIGINT NOT NULL,
	part  BIGINT NOT NULL,
	party TEXT   NOT NULL,
	data  BYTEA  NOT NULL,
	PRIMARY KEY (idx, part)
);
CREATE INDEX log_body_party ON log_body (party, idx, part);

-- One row: the largest checkpoint that witnesses cosigned.
CREATE TABLE log_cosigned (
	id         BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
	size       BIGINT NOT NULL,
	checkpoint BYTEA  NOT NULL
);

-- +goose Down
DROP TABLE log_cosigned;
DROP TABLE log_body;
DROP TABLE log_leaf;
DROP TABLE log_head;
