-- The scheduler's metadata, version 2: who ran a try, pools, variables, connections, and indexes for
-- questions about a long history.

ALTER TABLE task_instance ADD COLUMN node TEXT;
ALTER TABLE task_instance ADD COLUMN pool TEXT NOT NULL DEFAULT 'default_pool';
ALTER TABLE task_instance ADD COLUMN pool_slots INTEGER NOT NULL DEFAULT 1;
ALTER TABLE task_try ADD COLUMN node TEXT;

CREATE INDEX task_instance_open ON task_instance (state, pool)
  WHERE state IN ('scheduled', 'queued', 'running', 'restarting');
CREATE INDEX dag_run_of_dag ON dag_run (dag_id, state);
CREATE INDEX dag_run_recent ON dag_run (run_after_us);

-- Values, passwords and extras are sealed with the key beside the database.
CREATE TABLE variable (
  id          INTEGER PRIMARY KEY,
  key         TEXT NOT NULL UNIQUE,
  value       TEXT NOT NULL,
  description TEXT
) STRICT;

CREATE TABLE connection (
  id          INTEGER PRIMARY KEY,
  conn_id     TEXT NOT NULL UNIQUE,
  conn_type   TEXT NOT NULL,
  description TEXT,
  host        TEXT,
  login       TEXT,
  password    TEXT,
  schema      TEXT,
  port        INTEGER,
  extra       TEXT
) STRICT;

-- -1 slots are no limit.
CREATE TABLE pool (
  id               INTEGER PRIMARY KEY,
  name             TEXT NOT NULL UNIQUE,
  slots            INTEGER NOT NULL,
  description      TEXT,
  include_deferred INTEGER NOT NULL
) STRICT;
INSERT INTO pool (name, slots, description, include_deferred)
  VALUES ('default_pool', 128, 'Default pool', 0);
