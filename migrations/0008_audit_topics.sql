-- What the audit log said last of each thing that is looked at again and again, so that only changes are logged.

CREATE TABLE audit_topics (
    topic TEXT PRIMARY KEY,
    state BYTEA NOT NULL
);
