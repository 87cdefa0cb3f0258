-- The records of all stations, for PostgreSQL 12 or later. It may be run again, on a database that has it already:
--
--   smpctl records schema | psql -v ON_ERROR_STOP=1 DATABASE
--
-- A station sends with a login of its own that can do nothing but add records:
--
--   CREATE ROLE line2a LOGIN PASSWORD '…' IN ROLE smpctl_station;

BEGIN;

CREATE SCHEMA IF NOT EXISTS smpctl;

-- A row is a line of a station's journal. Stations give the line; the columns are read from it here, so that they
-- cannot say anything else.
CREATE TABLE IF NOT EXISTS smpctl.records (
	station       text        NOT NULL CHECK (station <> ''),
	seq           bigint      NOT NULL CHECK (seq > 0), -- 1, 2, 3 … in each journal, without gaps
	id            uuid        NOT NULL,                 -- of a board's turn
	event         text        NOT NULL,                 -- begin, end, resolve, head, torn
	began         timestamptz NOT NULL,
	seconds       double precision,
	operator      text,
	board_id      text,
	serial        text,                                 -- of the board's USB device
	image_version text,
	image_hash    text,
	result        text,                                 -- pass, fail, unknown
	kind          text,                                 -- of failure
	prev          text        NOT NULL,                 -- SHA-256 of the line before, as this line has it
	sha256        text        NOT NULL,                 -- of this line
	taken         timestamptz NOT NULL DEFAULT now(),   -- when it arrived here
	record        jsonb       NOT NULL,                 -- for questions
	line          text        NOT NULL,                 -- as it stands in the journal, to the byte: the evidence
	PRIMARY KEY (station, seq)
);

-- A turn of a board has one begin and one end, which share their id; people may resolve what is unknown more than
-- once.
CREATE UNIQUE INDEX IF NOT EXISTS records_turn ON smpctl.records (id, event) WHERE event IN ('begin', 'end');
CREATE INDEX IF NOT EXISTS records_resolved ON smpctl.records (id) WHERE event = 'resolve';
CREATE INDEX IF NOT EXISTS records_began ON smpctl.records (began);
-- Boards say what they like: a B-tree refuses more than 2,700 bytes, and with it the line.
CREATE INDEX IF NOT EXISTS records_board ON smpctl.records USING hash (board_id);
CREATE INDEX IF NOT EXISTS records_serial ON smpctl.records USING hash (serial);

-- What jsonb takes of a line: all of it but characters U+0000, which it cannot hold.
CREATE OR REPLACE FUNCTION smpctl.parsed(line text) RETURNS jsonb
LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE WHEN position('\u0000' IN line) = 0 THEN line
		ELSE regexp_replace(line, '(?<!\\)((?:\\\\)*)\\u0000', '\1\\ufffd', 'g') END::jsonb
$$;

-- Fills in a row from its line. A line that is there already is passed over, for stations send what they are not sure
-- of again. Another line in its place is an error, which the station shows: two stations have one name, or the
-- journal was begun anew. It runs with the rights of who made it, so that a station needs none to read.
CREATE OR REPLACE FUNCTION smpctl.take() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	there text;
BEGIN
	NEW.record := smpctl.parsed(NEW.line);
	NEW.station := coalesce(nullif(NEW.record #>> '{station,name}', ''), session_user); -- who has no name has a login
	NEW.seq := NEW.record ->> 'seq';
	NEW.id := NEW.record ->> 'id';
	NEW.event := NEW.record ->> 'event';
	NEW.began := NEW.record ->> 'began';
	NEW.seconds := NEW.record ->> 'seconds';
	NEW.operator := NEW.record ->> 'operator';
	NEW.board_id := NEW.record #>> '{board,id}';
	NEW.serial := NEW.record #>> '{board,serial}';
	NEW.image_version := NEW.record #>> '{image,version}';
	NEW.image_hash := NEW.record #>> '{image,hash}';
	NEW.result := NEW.record ->> 'result';
	NEW.kind := NEW.record ->> 'kind';
	NEW.prev := NEW.record ->> 'prev';
	NEW.sha256 := encode(sha256(convert_to(NEW.line, 'UTF8')), 'hex');
	NEW.taken := now();
	PERFORM pg_advisory_xact_lock(hashtextextended('smpctl ' || NEW.station, 0)); -- two that send as one station
	SELECT sha256 INTO there FROM smpctl.records WHERE station = NEW.station AND seq = NEW.seq;
	IF there = NEW.sha256 THEN
		RETURN NULL;
	ELSIF there IS NOT NULL THEN
		RAISE unique_violation USING MESSAGE = format('line %s of station %s is there with another content', NEW.seq,
			NEW.station);
	END IF;
	IF EXISTS (SELECT FROM smpctl.records -- in the words of the index
		WHERE id = NEW.id AND event = NEW.event AND event IN ('begin', 'end')) THEN
		RAISE unique_violation USING MESSAGE = format(
			'the %s of %s is there already, in another line than %s of station %s',
			NEW.event, NEW.id, NEW.seq, NEW.station);
	END IF;
	RETURN NEW;
END $$;

DROP TRIGGER IF EXISTS take ON smpctl.records;
CREATE TRIGGER take BEFORE INSERT ON smpctl.records FOR EACH ROW EXECUTE FUNCTION smpctl.take();

-- What became of each board, a row for each turn: what a person found out later counts, then the end of the turn; one
-- that has only begun is unknown.
CREATE OR REPLACE VIEW smpctl.turns AS
SELECT b.station, b.id, b.began, e.seconds, coalesce(e.board_id, b.board_id) AS board_id,
	coalesce(e.serial, b.serial) AS serial, coalesce(e.record, b.record) #>> '{fields,label}' AS label,
	coalesce(e.operator, b.operator) AS operator, coalesce(e.image_version, b.image_version) AS image_version,
	coalesce(e.image_hash, b.image_hash) AS image_hash, coalesce(r.result, e.result, 'unknown') AS result, e.kind,
	coalesce(r.record, e.record) ->> 'message' AS message, coalesce(e.record, b.record) AS record
FROM smpctl.records b
LEFT JOIN smpctl.records e ON e.id = b.id AND e.event = 'end'
LEFT JOIN LATERAL (SELECT result, record FROM smpctl.records
	WHERE id = b.id AND event = 'resolve' ORDER BY seq DESC LIMIT 1) r ON true
WHERE b.event = 'begin';

-- Where a chain does not hold: a line is missing, or is another one than the line after it says. It is empty if all
-- is well. What comes after the last line that arrived, nobody here can know: see stations.
CREATE OR REPLACE VIEW smpctl.gaps AS
SELECT r.station, r.seq, r.began,
	CASE WHEN r.seq = 1 THEN 'the first line has a line before it'
		WHEN r.seq_before IS NULL THEN format('lines 1 to %s are missing', r.seq - 1)
		WHEN r.seq_before < r.seq - 1 THEN format('lines %s to %s are missing', r.seq_before + 1, r.seq - 1)
		ELSE format('line %s is not the one that was written before it', r.seq - 1) END AS problem
FROM (
	SELECT station, seq, began, prev, lag(seq) OVER chain AS seq_before, lag(sha256) OVER chain AS sha256_before
	FROM smpctl.records WINDOW chain AS (PARTITION BY station ORDER BY seq)
) r
WHERE CASE WHEN r.seq = 1 THEN r.prev <> repeat('0', 64)
	ELSE r.seq_before IS DISTINCT FROM r.seq - 1 OR r.sha256_before IS DISTINCT FROM r.prev END
AND NOT EXISTS ( -- a station that was given another name goes on in the same journal
	SELECT FROM smpctl.records b WHERE b.seq = r.seq - 1 AND b.sha256 = r.prev);

-- Rows that were changed here after they arrived: what they say is not what their line says. It reads everything.
CREATE OR REPLACE VIEW smpctl.altered AS
SELECT station, seq, began FROM smpctl.records
WHERE sha256 <> encode(sha256(convert_to(line, 'UTF8')), 'hex') OR record <> smpctl.parsed(line)
	OR (station, seq, id::text, event, result, kind, board_id, serial, image_version, image_hash, prev)
		IS DISTINCT FROM (coalesce(nullif(record #>> '{station,name}', ''), station), (record ->> 'seq')::bigint,
			record ->> 'id', record ->> 'event', record ->> 'result', record ->> 'kind',
			record #>> '{board,id}', record #>> '{board,serial}',
			record #>> '{image,version}', record #>> '{image,hash}', record ->> 'prev');

-- What was heard of each station last.
CREATE OR REPLACE VIEW smpctl.stations AS
SELECT DISTINCT ON (station) station, seq, began, taken FROM smpctl.records ORDER BY station, seq DESC;

DO $$ BEGIN
	IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'smpctl_station') THEN
		CREATE ROLE smpctl_station NOLOGIN;
	END IF;
END $$;
REVOKE ALL ON ALL TABLES IN SCHEMA smpctl FROM PUBLIC, smpctl_station;
REVOKE ALL ON FUNCTION smpctl.take() FROM PUBLIC;
GRANT USAGE ON SCHEMA smpctl TO smpctl_station;
GRANT INSERT (line) ON smpctl.records TO smpctl_station;

COMMIT;
