"""The SQL of a store, as far as every engine understands it: plain strings, with `?` for the arguments.

Who runs them, and in which transactions, is in the file of the engine.
"""

from turnwise.store.rows import FILE, INTERACTION, KEY, LINK, UPLOAD

CREATE = f"INSERT INTO interactions ({INTERACTION}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"

# Once only, by the primary key; and only while the interaction is there.
APPEND = """
INSERT INTO events (id, seq, n, data) SELECT ?, ?, ?, ? WHERE EXISTS (SELECT 1 FROM interactions WHERE id = ?)
ON CONFLICT DO NOTHING
"""

FINISH = """
UPDATE interactions SET status = ?, updated = ?, steps = ?, usage = ?, failure = ?
WHERE id = ? AND status = 'in_progress'
"""

LOAD = f"SELECT {INTERACTION} FROM interactions WHERE id = ? AND owner = ?"

# The walk carries ids only; the wide rows are fetched once, at its end. They come with their distance from the end and
# are sorted by it afterwards: sorting rows of this width takes SQLite as long as all the rest.
CHAIN = f"""
WITH RECURSIVE line (member, before, depth) AS (
    SELECT id, previous_id, 0 FROM interactions WHERE id = ? AND owner = ?
    UNION ALL
    SELECT id, previous_id, depth + 1 FROM line JOIN interactions ON id = before WHERE owner = ?
)
SELECT depth, {LINK} FROM line JOIN interactions ON id = member
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

UNFINISHED = f"SELECT {INTERACTION} FROM interactions WHERE status = 'in_progress' ORDER BY created, id"

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
