-- Settings that were read at a source once, so that losing sight of them is not taken for "none".

CREATE TABLE settings_seen (
    source  TEXT PRIMARY KEY,
    digest  BYTEA NOT NULL,
    seen_ms BIGINT NOT NULL
);
