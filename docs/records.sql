-- Questions to the records of a plant, for psql and for Grafana, where a panel's own time goes into the place of the first
-- condition: $__timeFilter(began) for began >= now() - interval '1 day'.

-- Yield per hour and station. A turn is a board's stay in a slot: one that passes the second time has two.
SELECT date_trunc('hour', began) AS time, station, count(*) AS boards, count(*) FILTER (WHERE result = 'pass') AS passed,
	round(100.0 * count(*) FILTER (WHERE result = 'pass') / count(*), 1) AS yield
FROM smpctl.turns
WHERE began >= now() - interval '1 day'
GROUP BY 1, 2 ORDER BY 1, 2;

-- Failures by kind, the most frequent first.
SELECT coalesce(kind, result) AS kind, count(*) AS boards, count(DISTINCT station) AS stations, max(began) AS last
FROM smpctl.turns
WHERE began >= now() - interval '1 day' AND result <> 'pass'
GROUP BY 1 ORDER BY 2 DESC, 1;

-- The history of a board, by what names it.
SELECT began, station, operator, image_version, image_hash, result, kind, message
FROM smpctl.turns
WHERE id IN (SELECT id FROM smpctl.records WHERE board_id = 'E66C00000007')
ORDER BY began;

-- Records that are missing, that are not those that were written, or that were changed here. Empty if all is well; the
-- second one reads everything.
SELECT station, seq, began, problem FROM smpctl.gaps ORDER BY station, seq;

SELECT station, seq, began FROM smpctl.altered ORDER BY station, seq;

-- Stations that were not heard of for an hour, and how old their last record was when it arrived. What a station has not
-- sent, only its page knows.
SELECT station, seq AS lines, began AS last_record, taken AS arrived, taken - began AS late, now() - taken AS silent
FROM smpctl.stations
WHERE taken < now() - interval '1 hour'
ORDER BY taken;
