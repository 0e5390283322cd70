"""The SQL of a store, as far as every engine understands it: plain strings, with `?` for the arguments.

Who runs them, and in which transactions, is in the file of the engine.
"""

from turnwise.store.rows import INTERACTION, KEY, LINK

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
