-- Sealed files on their way: kits, orders, escrows, keys for readers. Nothing
-- stored here opens any of them.

-- +goose Up

-- One row: the number of the newest parcel. Whoever holds its lock numbers, so
-- that numbers become visible in their order.
CREATE TABLE parcel_head (
	id  BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
	seq BIGINT NOT NULL
);
INSERT INTO parcel_head (id, seq) VALUES (1, 0);

-- A sealed file under its SHA-256.
CREATE TABLE parcel (
	digest BYTEA NOT NULL PRIMARY KEY,
	data   BYTEA NOT NULL
);

-- For whom it is, in the order in which it came for them.
CREATE TABLE parcel_for (
	party  TEXT   NOT NULL,
	seq    BIGINT NOT NULL,
	digest BYTEA  NOT NULL,
	PRIMARY KEY (party, seq),
	UNIQUE (party, digest)
);

-- Invitations that were used: each serves once.
CREATE TABLE enrolment (
	nonce BYTEA NOT NULL PRIMARY KEY,
	data  BYTEA NOT NULL
);

-- +goose Down
DROP TABLE enrolment;
DROP TABLE parcel_for;
DROP TABLE parcel;
DROP TABLE parcel_head;
