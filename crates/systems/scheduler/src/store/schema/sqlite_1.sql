-- The scheduler's metadata, version 1. Instants are microseconds since 1970 (UTC).
-- A row that changes carries an epoch: every update names the state and epoch it was decided on.

CREATE TABLE dag (
  dag_id        TEXT PRIMARY KEY,
  paused        INTEGER NOT NULL,
  last_start_us INTEGER,
  last_end_us   INTEGER
) STRICT;

-- The texts of DAG files: a run keeps the version it started with.
CREATE TABLE dag_version (
  id         INTEGER PRIMARY KEY,
  dag_id     TEXT NOT NULL,
  number     INTEGER NOT NULL,
  file       TEXT NOT NULL,
  source     TEXT NOT NULL,
  created_us INTEGER NOT NULL,
  UNIQUE (dag_id, number)
) STRICT;

CREATE TABLE dag_run (
  id                INTEGER PRIMARY KEY,
  dag_id            TEXT NOT NULL,
  run_id            TEXT NOT NULL,
  version_id        INTEGER NOT NULL REFERENCES dag_version (id),
  run_type          TEXT NOT NULL,
  state             TEXT NOT NULL,
  epoch             INTEGER NOT NULL,
  logical_us        INTEGER,
  interval_start_us INTEGER,
  interval_end_us   INTEGER,
  run_after_us      INTEGER NOT NULL,
  queued_us         INTEGER NOT NULL,
  started_us        INTEGER,
  ended_us          INTEGER,
  conf              TEXT NOT NULL,
  note              TEXT,
  triggered_by      TEXT NOT NULL,
  clear_number      INTEGER NOT NULL,
  reason            TEXT,
  UNIQUE (dag_id, run_id),
  UNIQUE (dag_id, logical_us)
) STRICT;
CREATE INDEX dag_run_open ON dag_run (state) WHERE state IN ('queued', 'running');
CREATE INDEX dag_run_ended ON dag_run (ended_us) WHERE ended_us IS NOT NULL;
CREATE INDEX dag_run_after ON dag_run (dag_id, run_after_us);

CREATE TABLE task_instance (
  run_id       INTEGER NOT NULL REFERENCES dag_run (id),
  task_index   INTEGER NOT NULL,
  task_id      TEXT NOT NULL,
  state        TEXT NOT NULL,
  epoch        INTEGER NOT NULL,
  try_number   INTEGER NOT NULL,
  max_tries    INTEGER NOT NULL,
  scheduled_us INTEGER,
  queued_us    INTEGER,
  started_us   INTEGER,
  ended_us     INTEGER,
  retry_us     INTEGER,
  pid          INTEGER,
  reason       TEXT,
  PRIMARY KEY (run_id, task_index),
  UNIQUE (run_id, task_id)
) STRICT, WITHOUT ROWID;

-- Tries that have ended.
CREATE TABLE task_try (
  run_id       INTEGER NOT NULL REFERENCES dag_run (id),
  task_index   INTEGER NOT NULL,
  try_number   INTEGER NOT NULL,
  task_id      TEXT NOT NULL,
  state        TEXT NOT NULL,
  max_tries    INTEGER NOT NULL,
  scheduled_us INTEGER,
  queued_us    INTEGER,
  started_us   INTEGER,
  ended_us     INTEGER,
  reason       TEXT,
  PRIMARY KEY (run_id, task_index, try_number)
) STRICT, WITHOUT ROWID;

CREATE TABLE xcom (
  run_id     INTEGER NOT NULL REFERENCES dag_run (id),
  task_id    TEXT NOT NULL,
  key        TEXT NOT NULL,
  value      TEXT NOT NULL,
  created_us INTEGER NOT NULL,
  PRIMARY KEY (run_id, task_id, key)
) STRICT, WITHOUT ROWID;
