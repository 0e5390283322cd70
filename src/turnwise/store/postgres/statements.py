"""The SQL of interactions, their events and their runs, as PostgreSQL has it. What other engines understand too is in
the `statements.py` above.

The statements that a turn is made of are one round trip each, whatever they keep: a statement is a transaction of its
own. In one that changes several tables, its parts see the database as it was before; so their order means nothing.

Whoever changes or ends a run locks its row first, and those of several runs in the order of their ids, so that nobody
waits for one another in a circle.
"""

from turnwise.store import statements as sql
from turnwise.store.postgres.database import numbered
from turnwise.store.rows import INTERACTION, LINK, NOTICE

NOW = "extract(epoch FROM clock_timestamp())::float8"
"""The database's clock, in seconds since 1970: the machines need not agree on the time."""

STARTED = "extract(epoch FROM pg_postmaster_start_time())::float8"

COLUMNS = ", ".join(f"i.{name}" for name in INTERACTION.split(", "))

CHANNEL = "turnwise"

TELL = f"SELECT pg_notify('{CHANNEL}', news) FROM unnest($1::text[]) AS news"

# Arguments 1 to 14 are the interaction's; then its events: position, how many, data; its run: whether it has one,
# carrier, seconds, baggage; its notices, as columns; and news.
CREATE = f"""
WITH kept AS (
    INSERT INTO interactions ({INTERACTION}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
    RETURNING id, created
), told AS (
    INSERT INTO events (id, seq, n, data) SELECT id, $15::bigint, $16::int, $17::bytea FROM kept WHERE $16 > 0
), run AS (
    INSERT INTO runs (id, created, carrier, attempt, deaths, until, baggage)
    SELECT id, created, $19::text, ($19 IS NOT NULL)::int, 0, {NOW} + $20::float8, $21::bytea FROM kept WHERE $18::bool
), notice AS (
    INSERT INTO notices ({NOTICE})
    SELECT * FROM unnest($22::text[], $23::text[], $24::text[], $25::text[], $26::text[], $27::int[])
)
SELECT pg_notify('{CHANNEL}', news) FROM kept, unnest($28::text[]) AS news
"""

# The fence: events are kept while their attempt is the run's. Whoever takes or ends the run waits for this, and this
# for them. Returned are the runs whose events are kept, even if they were before; these are told, as `write_news` would
# write it, and in as many pieces.
APPEND = f"""
WITH fit AS (
    SELECT b.* FROM unnest($1::text[], $2::int[], $3::bigint[], $4::int[], $5::bytea[]) AS b (id, attempt, seq, n, data)
    JOIN runs r ON r.id = b.id AND r.attempt = b.attempt ORDER BY r.id FOR SHARE OF r
), kept AS (
    INSERT INTO events (id, seq, n, data) SELECT id, seq, n, data FROM fit WHERE n > 0 ON CONFLICT DO NOTHING
), piece AS (
    SELECT json_build_array(json_agg(DISTINCT id), json_build_array(), false)::text AS news
    FROM (SELECT id, sum(octet_length(id) + 8) OVER (ORDER BY id, seq) / 7000 AS number FROM fit) AS told
    GROUP BY number
), told AS (
    SELECT count(pg_notify('{CHANNEL}', news)) FROM piece
)
SELECT DISTINCT id, attempt FROM fit, told
"""

# Arguments: the interaction's outcome, 1 to 6, the last of which is its id; the attempt; events as above; notices as
# above; and news.
FINISH = f"""
WITH over AS (
    DELETE FROM runs WHERE id = $6 AND attempt = $7 RETURNING id
), kept AS (
    UPDATE interactions SET status = $1, updated = $2, steps = $3, usage = $4, failure = $5
    WHERE id IN (SELECT id FROM over)
), told AS (
    INSERT INTO events (id, seq, n, data) SELECT id, $8::bigint, $9::int, $10::bytea FROM over WHERE $9 > 0
    ON CONFLICT DO NOTHING
), notice AS (
    INSERT INTO notices ({NOTICE})
    SELECT n.* FROM over, unnest($11::text[], $12::text[], $13::text[], $14::text[], $15::text[], $16::int[]) AS n
)
SELECT pg_notify('{CHANNEL}', news) FROM over, unnest($17::text[]) AS news
"""

# Whether it ended in just this way.
IS_OUTCOME = """
SELECT 1 FROM interactions WHERE status = $1 AND updated = $2 AND steps = $3 AND usage IS NOT DISTINCT FROM $4
    AND failure IS NOT DISTINCT FROM $5 AND id = $6
"""

LOAD = numbered(sql.LOAD)

LOAD_ANYBODYS = f"SELECT {INTERACTION} FROM interactions WHERE id = $1"

# The walk, and the member that it begins with: mostly the only one that is not known.
LINE = numbered(
    f"""
{sql.WALK}, walked AS (SELECT string_agg(member, ?) AS ids, string_agg(standing, ?) AS standings FROM line)
SELECT ids, standings, {sql.STANDING}, {LINK} FROM walked, interactions WHERE id = ? AND owner = ?
"""
)

LINKS = f"SELECT {sql.STANDING}, {LINK} FROM interactions WHERE id = ANY($1::text[])"

# A row that begins at or before the next position may hold it: the last of these, and all behind it.
TAIL = """
SELECT place.id, e.seq, e.data FROM unnest($1::text[], $2::bigint[]) AS place (id, after), LATERAL (
    SELECT seq, data FROM events
    WHERE id = place.id AND seq + n > place.after + 1
        AND seq >= coalesce((SELECT max(seq) FROM events WHERE id = place.id AND seq <= place.after + 1), 0)
) AS e
ORDER BY place.id, e.seq
"""

LOCK_RUN = """
SELECT r.carrier FROM runs r WHERE r.id = $1 AND EXISTS (SELECT 1 FROM interactions WHERE id = $1 AND owner = $2)
FOR UPDATE
"""

DELETE = numbered(sql.DELETE)

DELETE_RUN = "DELETE FROM runs WHERE id = $1"

DELETE_EVENTS = numbered(sql.DELETE_EVENTS)

# A lease that ran out while the server itself was away is not held against its carrier, which has as much time as a
# lease to come back. `$4` says whether we have seen the server for that long. Whoever claims is alive, and has what it
# has.
CLAIM = f"""
WITH claimable AS (
    SELECT id, carrier FROM runs
    WHERE carrier IS NULL OR carrier <> $1 AND until <= {NOW} AND $4::bool
        AND (until > {STARTED} OR {NOW} > {STARTED} + $2::float8)
    ORDER BY created, id LIMIT $3 FOR UPDATE SKIP LOCKED
), claimed AS (
    UPDATE runs r SET carrier = $1, until = {NOW} + $2::float8, attempt = attempt + 1,
        deaths = deaths + (c.carrier IS NOT NULL)::int
    FROM claimable c WHERE r.id = c.id RETURNING r.id, r.attempt, r.deaths, r.baggage, c.carrier IS NOT NULL AS orphaned
)
SELECT c.orphaned, c.attempt, c.deaths, c.baggage, {COLUMNS} FROM claimed c JOIN interactions i ON i.id = c.id
ORDER BY i.created, i.id
"""

# Runs that we may have claimed just now, without having heard of it.
CLAIMED = f"""
SELECT false, r.attempt, r.deaths, r.baggage, {COLUMNS} FROM runs r JOIN interactions i ON i.id = r.id
WHERE r.carrier = $1 AND (r.id, r.attempt) IN (SELECT * FROM unnest($2::text[], $3::int[])) ORDER BY i.created, i.id
"""

TAKE = f"""
WITH taken AS (
    UPDATE runs SET carrier = $2, until = {NOW} + $3::float8, attempt = attempt + 1 WHERE id = $1
    RETURNING id, attempt, deaths, baggage
)
SELECT t.attempt, t.deaths, t.baggage, {COLUMNS} FROM taken t JOIN interactions i ON i.id = t.id
"""

BEAT = f"""
WITH mine AS (SELECT id FROM runs WHERE carrier = $1 ORDER BY id FOR UPDATE)
UPDATE runs r SET until = {NOW} + $2::float8 FROM mine WHERE r.id = mine.id AND r.carrier = $1
RETURNING r.id, r.attempt
"""

RELEASE = f"""
WITH mine AS (
    SELECT id FROM runs WHERE carrier = $1 AND ($2::text[] IS NULL OR id = ANY($2)) ORDER BY id FOR UPDATE
), released AS (
    UPDATE runs r SET carrier = NULL, until = NULL FROM mine WHERE r.id = mine.id AND r.carrier = $1 RETURNING r.id
)
SELECT pg_notify('{CHANNEL}', $3) FROM (SELECT 1 FROM released LIMIT 1) AS any_of_them
"""
