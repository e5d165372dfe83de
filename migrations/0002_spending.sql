-- Money: what was spent, by whom, when and for what, and what is set aside for runs under way.

CREATE TABLE expenses (
    repo_id    BIGINT NOT NULL,
    day        BIGINT NOT NULL,
    pull       BIGINT NOT NULL,
    author     BIGINT NOT NULL,
    usd_micros BIGINT NOT NULL,
    PRIMARY KEY (repo_id, day, pull, author)
);
CREATE INDEX expenses_by_pull ON expenses (repo_id, pull);
INSERT INTO expenses (repo_id, day, pull, author, usd_micros) SELECT repo_id, day, 0, 0, usd_micros FROM spending;
DROP TABLE spending;

-- One row per run under way; a run that vanished is forgotten when its time is up.
CREATE TABLE reservations (
    id         TEXT PRIMARY KEY,
    repo_id    BIGINT NOT NULL,
    pull       BIGINT NOT NULL,
    author     BIGINT NOT NULL,
    usd_micros BIGINT NOT NULL,
    until_ms   BIGINT NOT NULL
);
CREATE INDEX reservations_by_repo ON reservations (repo_id);

-- Whoever reserves takes its repository's row first, so that no two see the same money as free.
CREATE TABLE purses (
    repo_id  BIGINT PRIMARY KEY,
    asked_ms BIGINT NOT NULL
);
