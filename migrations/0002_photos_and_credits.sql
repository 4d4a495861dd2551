-- The local library: bytes lie in the artifact folder under the photo's id.
CREATE TABLE photos (
  id         TEXT PRIMARY KEY CHECK (length(id) = 64),
  credit     TEXT NOT NULL CHECK (json_valid(credit)),
  keywords   TEXT NOT NULL CHECK (json_valid(keywords)),
  width      INTEGER NOT NULL CHECK (width > 0),
  height     INTEGER NOT NULL CHECK (height > 0),
  media_type TEXT NOT NULL CHECK (media_type <> ''),
  imported   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What the model made, by the hash of its recipe.
CREATE TABLE generated (
  recipe_sha256 TEXT PRIMARY KEY CHECK (length(recipe_sha256) = 64),
  recipe        TEXT NOT NULL CHECK (json_valid(recipe)),
  artifact      TEXT NOT NULL CHECK (length(artifact) = 64),
  created       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The ledger. No foreign keys: it outlives jobs and photos. A job's file is entered once for each
-- photograph on it.
CREATE TABLE credits (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  job_id      INTEGER,
  card_path   TEXT NOT NULL CHECK (card_path <> ''),
  card_sha256 TEXT NOT NULL CHECK (length(card_sha256) = 64),
  photo_id    TEXT NOT NULL CHECK (photo_id <> ''),
  credit      TEXT NOT NULL CHECK (json_valid(credit)),
  line        TEXT NOT NULL CHECK (line <> ''),
  at          INTEGER NOT NULL,
  UNIQUE (job_id, card_path, photo_id)
) STRICT;
CREATE INDEX credits_at ON credits (at);
CREATE TRIGGER credits_stay BEFORE UPDATE ON credits
  BEGIN SELECT RAISE(ABORT, 'the ledger is only ever added to'); END;
CREATE TRIGGER credits_are_kept BEFORE DELETE ON credits
  BEGIN SELECT RAISE(ABORT, 'the ledger is only ever added to'); END;
