-- The audit log: append-only, each row carries the digest of the one before.

CREATE TABLE audit (
    seq    BIGINT PRIMARY KEY,
    at_ms  BIGINT NOT NULL,
    body   TEXT NOT NULL,
    previous BYTEA NOT NULL,
    digest BYTEA NOT NULL
);

-- Whoever appends takes this row first, so that the chain has one end.
CREATE TABLE audit_end (
    name   TEXT PRIMARY KEY,
    seq    BIGINT NOT NULL,
    digest BYTEA NOT NULL
);
