-- One text for SQLite and PostgreSQL: only BIGINT (milliseconds, 0 or 1), TEXT (ids, JSON) and BYTEA.

CREATE TABLE counters (
    name  TEXT PRIMARY KEY,
    value BIGINT NOT NULL
);
-- Taking job ids locks this row, so jobs are queued one transaction at a time and their ids follow the order of commits.
INSERT INTO counters (name, value) VALUES ('job', 0);

CREATE TABLE deliveries (
    guid        TEXT PRIMARY KEY,
    event       TEXT NOT NULL,
    action      TEXT,
    received_ms BIGINT NOT NULL,
    job_id      BIGINT
);
CREATE INDEX deliveries_by_age ON deliveries (received_ms);

CREATE TABLE jobs (
    id          BIGINT PRIMARY KEY,
    lane        TEXT NOT NULL,
    payload     TEXT NOT NULL,
    delivery    TEXT,
    state       TEXT NOT NULL,
    yields      BIGINT NOT NULL,
    cancel      BIGINT NOT NULL,
    attempt     BIGINT NOT NULL,
    queued_ms   BIGINT NOT NULL,
    run_at_ms   BIGINT NOT NULL,
    lease_token TEXT,
    lease_until BIGINT,
    finished_ms BIGINT,
    error       TEXT
);
-- The promise of one running job per lane is the database's, whatever the workers do.
CREATE UNIQUE INDEX jobs_one_running_per_lane ON jobs (lane) WHERE state = 'running';
CREATE INDEX jobs_queued ON jobs (id) WHERE state = 'queued';
CREATE INDEX jobs_queued_by_lane ON jobs (lane, id) WHERE state = 'queued';
CREATE INDEX jobs_live_by_lane ON jobs (lane) WHERE state IN ('queued', 'running');
CREATE UNIQUE INDEX jobs_by_lease ON jobs (lease_token) WHERE state = 'running';
CREATE INDEX jobs_by_lease_end ON jobs (lease_until) WHERE state = 'running';

CREATE TABLE runs (
    run_key    TEXT PRIMARY KEY,
    generation BIGINT NOT NULL,
    body       TEXT NOT NULL,
    saved_ms   BIGINT NOT NULL
);

CREATE TABLE publications (
    repo_id        BIGINT NOT NULL,
    pull           BIGINT NOT NULL,
    generation     BIGINT NOT NULL,
    comment_id     BIGINT,
    comment_digest BYTEA,
    checks         TEXT NOT NULL,
    PRIMARY KEY (repo_id, pull)
);

CREATE TABLE answers (
    question   BYTEA PRIMARY KEY,
    completion TEXT NOT NULL,
    saved_ms   BIGINT NOT NULL
);

CREATE TABLE spending (
    repo_id    BIGINT NOT NULL,
    day        BIGINT NOT NULL,
    usd_micros BIGINT NOT NULL,
    PRIMARY KEY (repo_id, day)
);

CREATE TABLE releases (
    repo_id     BIGINT NOT NULL,
    pull        BIGINT NOT NULL,
    sha         TEXT NOT NULL,
    released_by BIGINT NOT NULL,
    released_ms BIGINT NOT NULL,
    PRIMARY KEY (repo_id, pull, sha)
);
