-- What a provider said of a photograph each time it was asked, word for word: the evidence of its
-- licence, and the ruling that was made on it. Only ever added to.
CREATE TABLE evidence (
  id        INTEGER PRIMARY KEY AUTOINCREMENT,
  photo_id  TEXT NOT NULL CHECK (length(photo_id) = 64),
  provider  TEXT NOT NULL CHECK (provider <> ''),
  source_id TEXT NOT NULL,
  page_url  TEXT NOT NULL,
  file_url  TEXT NOT NULL,
  ruling    TEXT NOT NULL CHECK (json_valid(ruling)),
  raw       TEXT NOT NULL CHECK (raw <> ''),
  sha256    TEXT NOT NULL CHECK (length(sha256) = 64),
  at        INTEGER NOT NULL
) STRICT;
CREATE INDEX evidence_photo ON evidence (photo_id, id);
CREATE TRIGGER evidence_stays BEFORE UPDATE ON evidence
  BEGIN SELECT RAISE(ABORT, 'evidence is only ever added to'); END;
CREATE TRIGGER evidence_is_kept BEFORE DELETE ON evidence
  BEGIN SELECT RAISE(ABORT, 'evidence is only ever added to'); END;

-- Take-downs: "sha256:…" for bytes, "url:…" for a page or file, "PROVIDER:ID" for a record.
CREATE TABLE revocations (
  target TEXT PRIMARY KEY CHECK (target <> ''),
  why    TEXT NOT NULL CHECK (why <> ''),
  at     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What was measured on a photograph's pixels.
CREATE TABLE measures (
  photo_id TEXT PRIMARY KEY CHECK (length(photo_id) = 64),
  print    INTEGER NOT NULL,
  focus    REAL NOT NULL,
  exposure REAL NOT NULL
) STRICT, WITHOUT ROWID;

ALTER TABLE credits ADD COLUMN site TEXT NOT NULL DEFAULT '';
ALTER TABLE credits ADD COLUMN evidence_sha256 TEXT NOT NULL DEFAULT '';
CREATE INDEX credits_photo ON credits (photo_id);
CREATE INDEX credits_card ON credits (card_path, id);
