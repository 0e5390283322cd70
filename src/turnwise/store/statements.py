"""The SQL of a store, as far as every engine understands it: plain strings, with `?` for the arguments.

Who runs them, and in which transactions, is in the file of the engine.
"""

from turnwise.store.rows import FILE, INTERACTION, KEY, NOTICE, RESOURCE, UPLOAD

CREATE = f"INSERT INTO interactions ({INTERACTION}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"

# Events that come with their interaction, or with its end. Once only, by the primary key.
APPEND = "INSERT INTO events (id, seq, n, data) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"

IS_CURRENT = "SELECT 1 FROM runs WHERE id = ? AND attempt = ?"

# Once only: whoever deletes the run writes the end.
END_RUN = "DELETE FROM runs WHERE id = ? AND attempt = ? RETURNING baggage"

FINISH = "UPDATE interactions SET status = ?, updated = ?, steps = ?, usage = ?, failure = ? WHERE id = ?"

LOAD = f"SELECT {INTERACTION} FROM interactions WHERE id = ? AND owner = ?"

STANDING = "status || ' ' || updated"

# The walk along a chain, from one of its members back. It carries no wide columns: what is in those is mostly known.
WALK = f"""
WITH RECURSIVE line (member, before, standing) AS (
    SELECT id, previous_id, {STANDING} FROM interactions WHERE id = ? AND owner = ?
    UNION ALL
    SELECT id, previous_id, {STANDING} FROM line JOIN interactions ON id = before WHERE owner = ?
)
"""

# A row that begins at or before the next position may hold it: the last of these, and all behind it.
EVENTS = """
SELECT seq, data FROM events
WHERE id = ? AND seq + n > ? + 1
    AND seq >= coalesce((SELECT max(seq) FROM events WHERE id = ? AND seq <= ? + 1), 0)
ORDER BY seq
"""

DELETE = "DELETE FROM interactions WHERE id = ? AND owner = ?"

DELETE_EVENTS = "DELETE FROM events WHERE id = ?"

CREATE_RUN = "INSERT INTO runs (id, created, carrier, attempt, deaths, until, baggage) VALUES (?, ?, ?, ?, 0, ?, ?)"

DELETE_RUN = "DELETE FROM runs WHERE id = ? RETURNING carrier"

# Runs that a carrier may claim: those that wait, and those whose carrier is dead, which the one that asks is not. Both
# have an index that serves them.
CLAIMABLE = """
SELECT id, carrier IS NOT NULL FROM (
    SELECT * FROM (SELECT id, carrier, created FROM runs WHERE carrier IS NULL ORDER BY created, id LIMIT ?) AS waiting
    UNION ALL
    SELECT * FROM (
        SELECT id, carrier, created FROM runs WHERE carrier IS NOT NULL AND carrier <> ? AND until <= ?
        ORDER BY created, id LIMIT ?
    ) AS orphans
) AS claimable
ORDER BY created, id LIMIT ?
"""

# A lease that ran out is a death; being taken by somebody is none.
CARRY = "UPDATE runs SET carrier = ?, until = ?, attempt = attempt + 1, deaths = deaths + ? WHERE id = ?"

CARRIED = f"""
SELECT runs.attempt, runs.deaths, runs.baggage, {", ".join(f"interactions.{name}" for name in INTERACTION.split(", "))}
FROM runs JOIN interactions ON interactions.id = runs.id WHERE runs.id = ?
"""

CARRIER_OF = """
SELECT carrier FROM runs WHERE id = ? AND EXISTS (SELECT 1 FROM interactions WHERE id = runs.id AND owner = ?)
"""

CARRIED_BY = "SELECT 1 FROM runs WHERE carrier = ? LIMIT 1"

BEAT = "UPDATE runs SET until = ? WHERE carrier = ? RETURNING id, attempt"

RELEASE = "UPDATE runs SET carrier = NULL, until = NULL WHERE carrier = ?"

ABANDON = """
UPDATE runs SET carrier = NULL, until = NULL, deaths = deaths + 1 WHERE carrier IS NOT NULL RETURNING id
"""

ADD_NOTICE = f"INSERT INTO notices ({NOTICE}) VALUES (?, ?, ?, ?, ?, ?)"

DUE_NOTICES = f"SELECT {NOTICE} FROM notices WHERE due <= ? ORDER BY due, id LIMIT ?"

TRY_NOTICE = "UPDATE notices SET due = ?, attempts = attempts + 1 WHERE id = ?"

POSTPONE_NOTICE = "UPDATE notices SET due = ? WHERE id = ?"

PUT_OFF_NOTICE = "UPDATE notices SET due = ?, attempts = ? WHERE id = ?"

DELETE_NOTICE = "DELETE FROM notices WHERE id = ?"

COUNT_RESOURCES = "SELECT count(*) FROM resources WHERE kind = ? AND owner = ?"

ADD_RESOURCE = f"INSERT INTO resources ({RESOURCE}) VALUES (?, ?, ?, ?, ?, ?)"

LOAD_RESOURCE = f"SELECT {RESOURCE} FROM resources WHERE kind = ? AND owner = ? AND id = ?"

RESOURCES = f"""
SELECT {RESOURCE} FROM resources WHERE kind = ? AND owner = ? AND (created, id) > (?, ?) ORDER BY created, id LIMIT ?
"""

CHANGE_RESOURCE = "UPDATE resources SET updated = ?, body = ? WHERE kind = ? AND owner = ? AND id = ? AND updated = ?"

DELETE_RESOURCE = "DELETE FROM resources WHERE kind = ? AND owner = ? AND id = ?"

PROPOSE_SECRET = "INSERT INTO secrets (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING"

SECRET = "SELECT value FROM secrets WHERE name = ?"

ADD_KEY = f"INSERT INTO keys ({KEY}) VALUES (?, ?, ?, ?, ?, ?, ?)"

KEYS = f"SELECT {KEY} FROM keys ORDER BY created, id"

REVOKE_KEY = "UPDATE keys SET revoked = ? WHERE id = ? AND revoked IS NULL"

BEGIN_UPLOAD = f"INSERT INTO uploads ({UPLOAD}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"

RUNNING = "hash = ? AND file_id IS NULL"

UPLOADED = f"SELECT {UPLOAD} FROM uploads WHERE hash = ?"

RESERVE = f"UPDATE uploads SET reserved = ? WHERE reserved < ? AND {RUNNING}"

BECOME = f"UPDATE uploads SET reserved = 0, file_id = ? WHERE {RUNNING}"

DROP_UPLOAD = f"DELETE FROM uploads WHERE {RUNNING} RETURNING blob"

# What an owner's files and running uploads hold of the quota. An upload that is about to reserve more counts by that.
USED = """
SELECT coalesce((SELECT sum(size_bytes) FROM files WHERE owner = ? AND expires > ?), 0)
    + coalesce((SELECT sum(reserved) FROM uploads WHERE owner = ? AND expires > ? AND file_id IS NULL AND hash <> ?), 0)
"""

CREATE_FILE = f"INSERT INTO files ({FILE}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"

LOAD_FILE = f"SELECT {FILE} FROM files WHERE id = ? AND owner = ?"

FILES = f"""
SELECT {FILE} FROM files WHERE owner = ? AND expires > ? AND (created, id) < (?, ?)
ORDER BY created DESC, id DESC LIMIT ?
"""

SETTLE_FILE = """
UPDATE files SET mime_type = ?, updated = ?, state = ?, failure = ?, details = ?
WHERE owner = ? AND id = ? AND blob = ? AND state = 'PROCESSING'
"""

DELETE_FILE = "DELETE FROM files WHERE id = ? AND owner = ? RETURNING blob"

PROCESSING = f"SELECT {FILE} FROM files WHERE state = 'PROCESSING' ORDER BY created, id"

EXPIRED_FILES = "SELECT id, owner FROM files WHERE expires <= ? ORDER BY expires LIMIT ?"

EXPIRED_UPLOADS = "SELECT hash FROM uploads WHERE expires <= ? ORDER BY expires LIMIT ?"

DELETE_FINISHED = "DELETE FROM uploads WHERE hash = ? AND file_id IS NOT NULL"

LITTER = "SELECT blob FROM litter LIMIT ?"

LEAVE = "INSERT INTO litter (blob) VALUES (?) ON CONFLICT DO NOTHING"

CLEARED = "DELETE FROM litter WHERE blob = ?"
