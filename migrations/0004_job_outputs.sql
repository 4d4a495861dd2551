-- The files that a job asks for, as a JSON array; empty: one file of the template's first size.
ALTER TABLE jobs ADD COLUMN makes TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(makes));
