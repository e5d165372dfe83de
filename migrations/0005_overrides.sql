-- Overrides, what they are bound to, and how the runs of one content came out.

CREATE TABLE overrides (
    repo_id      BIGINT NOT NULL,
    pull         BIGINT NOT NULL,
    comment_id   BIGINT NOT NULL,
    -- The command's place in its comment.
    place        BIGINT NOT NULL,
    sha          TEXT NOT NULL,
    -- The result it was given for: the digest of the question it answers, and how it blocked.
    question     BYTEA NOT NULL,
    how          TEXT NOT NULL,
    by_id        BIGINT NOT NULL,
    by_login     TEXT NOT NULL,
    reason       TEXT NOT NULL,
    at_ms        BIGINT NOT NULL,
    -- 1 once a push or another base branch took it back; it never comes back, even with the same commit.
    lapsed       BIGINT NOT NULL,
    cancelled_by BIGINT,
    PRIMARY KEY (repo_id, pull, comment_id, place)
);

-- Since when a pull request has had its head and base branch, by GitHub's clock, as far as we know.
CREATE TABLE heads (
    repo_id  BIGINT NOT NULL,
    pull     BIGINT NOT NULL,
    sha      TEXT NOT NULL,
    base     TEXT NOT NULL,
    since_s  BIGINT NOT NULL,
    PRIMARY KEY (repo_id, pull)
);

-- Per content that was measured and what controlled it: how many runs found a regression, and how many did not.
CREATE TABLE verdicts (
    repo_id  BIGINT NOT NULL,
    content  BYTEA NOT NULL,
    found    BIGINT NOT NULL,
    clear    BIGINT NOT NULL,
    saved_ms BIGINT NOT NULL,
    PRIMARY KEY (repo_id, content)
);
