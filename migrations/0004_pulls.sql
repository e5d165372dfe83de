-- The pull requests we look after, so that what happens elsewhere (a team, a base branch, a lost webhook) finds them.

CREATE TABLE pulls (
    repo_id      BIGINT NOT NULL,
    pull         BIGINT NOT NULL,
    repo         TEXT NOT NULL,
    owner        TEXT NOT NULL,
    installation BIGINT NOT NULL,
    head_sha     TEXT NOT NULL,
    base_branch  TEXT NOT NULL,
    base_sha     TEXT NOT NULL,
    control      BYTEA,
    commits      TEXT NOT NULL,
    silent       BIGINT NOT NULL,
    open         BIGINT NOT NULL,
    seen_ms      BIGINT NOT NULL,
    PRIMARY KEY (repo_id, pull)
);
CREATE INDEX pulls_open_by_owner ON pulls (owner) WHERE open = 1;
CREATE INDEX pulls_open_by_installation ON pulls (installation, seen_ms) WHERE open = 1;

-- Whose a login was when somebody named in person first counted.
CREATE TABLE pins (
    repo_id     BIGINT NOT NULL,
    base_branch TEXT NOT NULL,
    login       TEXT NOT NULL,
    user_id     BIGINT NOT NULL,
    since_ms    BIGINT NOT NULL,
    PRIMARY KEY (repo_id, base_branch, login)
);

-- Where the sweep is: when it last began, the newest delivery it has dealt with, how many there were.
INSERT INTO counters (name, value) VALUES ('sweep_begun', 0);
INSERT INTO counters (name, value) VALUES ('sweep_delivery', 0);
INSERT INTO counters (name, value) VALUES ('sweep_round', 0);
