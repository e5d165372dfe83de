-- A check belongs to a commit and a name, and several pull requests can share both: what each of them came to, and what is
-- posted for all of them.
CREATE TABLE check_results (
    repo_id BIGINT NOT NULL,
    sha     TEXT NOT NULL,
    name    TEXT NOT NULL,
    holder  TEXT NOT NULL,
    body    TEXT NOT NULL,
    PRIMARY KEY (repo_id, sha, name, holder)
);
CREATE INDEX check_results_by_holder ON check_results (repo_id, holder);

CREATE TABLE posted_checks (
    repo_id    BIGINT NOT NULL,
    sha        TEXT NOT NULL,
    name       TEXT NOT NULL,
    generation BIGINT NOT NULL,
    writers    BIGINT NOT NULL,
    check_id   BIGINT,
    digest     BYTEA,
    saved_ms   BIGINT NOT NULL,
    PRIMARY KEY (repo_id, sha, name)
);
