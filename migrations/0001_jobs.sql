-- Jobs, what their stages left behind, and every attempt. Times are milliseconds since 1970 (UTC).
CREATE TABLE jobs (
  id               INTEGER PRIMARY KEY AUTOINCREMENT,  -- never reused: a cursor stays valid
  key              TEXT CHECK (length(key) BETWEEN 1 AND 200),
  template         TEXT NOT NULL CHECK (template <> ''),
  brand            TEXT NOT NULL,
  variables        TEXT NOT NULL CHECK (json_valid(variables)),
  photo            TEXT NOT NULL CHECK (json_valid(photo)),
  out              TEXT NOT NULL,
  priority         INTEGER NOT NULL CHECK (priority BETWEEN -1000 AND 1000),
  run_at           INTEGER NOT NULL,
  state            TEXT NOT NULL CHECK (state IN
                     ('queued', 'running', 'retrying', 'done', 'dead', 'cancelled')),
  attempts         INTEGER NOT NULL DEFAULT 0 CHECK (attempts BETWEEN 0 AND max_attempts),
  max_attempts     INTEGER NOT NULL CHECK (max_attempts BETWEEN 1 AND 100),
  claim_token      TEXT,
  lease_until      INTEGER,
  worker           TEXT,
  cancel_requested INTEGER NOT NULL DEFAULT 0 CHECK (cancel_requested IN (0, 1)),
  error            TEXT NOT NULL DEFAULT '',
  error_cause      TEXT NOT NULL DEFAULT '',
  outputs          TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(outputs)),
  created          INTEGER NOT NULL,
  updated          INTEGER NOT NULL,
  CHECK ((state = 'running') = (claim_token IS NOT NULL)),
  CHECK ((state = 'running') = (lease_until IS NOT NULL)),
  CHECK ((state = 'running') = (worker IS NOT NULL))
) STRICT;

-- Claiming reads only live rows, however long the history is.
CREATE INDEX jobs_ready ON jobs (priority DESC, run_at, id) WHERE state IN ('queued', 'retrying');
CREATE INDEX jobs_leases ON jobs (lease_until) WHERE state = 'running';
-- A dead or cancelled job gives its key free.
CREATE UNIQUE INDEX jobs_key ON jobs (key)
  WHERE key IS NOT NULL AND state NOT IN ('dead', 'cancelled');

CREATE TABLE artifacts (
  sha256     TEXT PRIMARY KEY CHECK (length(sha256) = 64),
  bytes      INTEGER NOT NULL CHECK (bytes >= 0),
  media_type TEXT NOT NULL,
  created    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The artifact is a name, not a foreign key: bytes and media type are entered when they are known.
CREATE TABLE stages (
  job_id   INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
  name     TEXT NOT NULL CHECK (name <> ''),
  artifact TEXT CHECK (length(artifact) = 64),
  detail   TEXT NOT NULL CHECK (json_valid(detail)),
  ms       INTEGER NOT NULL CHECK (ms >= 0),
  finished INTEGER NOT NULL,
  PRIMARY KEY (job_id, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX stages_artifact ON stages (artifact) WHERE artifact IS NOT NULL;

CREATE TABLE attempts (
  id      INTEGER PRIMARY KEY AUTOINCREMENT,
  job_id  INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
  number  INTEGER NOT NULL CHECK (number >= 1),
  worker  TEXT NOT NULL,
  started INTEGER NOT NULL,
  ended   INTEGER,
  outcome TEXT CHECK (outcome IN ('done', 'retrying', 'dead', 'returned', 'lost', 'cancelled')),
  error   TEXT NOT NULL DEFAULT '',
  CHECK ((ended IS NULL) = (outcome IS NULL))
) STRICT;
CREATE INDEX attempts_job ON attempts (job_id);
CREATE UNIQUE INDEX attempts_open ON attempts (job_id) WHERE ended IS NULL;

-- One row: whether workers may claim.
CREATE TABLE queue (
  only   INTEGER PRIMARY KEY CHECK (only = 1),
  paused INTEGER NOT NULL CHECK (paused IN (0, 1))
) STRICT;
INSERT INTO queue (only, paused) VALUES (1, 0);
