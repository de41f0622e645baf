"""The SQL of the queue. A statement that changes jobs returns the changed rows."""

from __future__ import annotations

INSERT = """
INSERT INTO jobs (id, kind, state, title, batch, priority, device, settings, notes, created, progress)
VALUES (?, ?, 'queued', ?, ?, ?, ?, ?, ?, ?, ?) RETURNING *
"""
GET = "SELECT * FROM jobs WHERE id = ?"
LIST = """
SELECT * FROM jobs WHERE state IN (SELECT value FROM json_each(:states))
AND (:before IS NULL OR number < (SELECT number FROM jobs WHERE id = :before)) ORDER BY number DESC LIMIT :limit
"""
COUNTS = "SELECT state, count(*) FROM jobs GROUP BY state"
BUSY = "SELECT DISTINCT worker FROM jobs WHERE state = 'running'"
WANTED = "SELECT device, count(*) FROM jobs WHERE state = 'queued' GROUP BY device"
NAMES = "SELECT 1 FROM jobs WHERE instr(settings, ?) LIMIT 1"

NEXT = """
SELECT number FROM jobs WHERE state = 'queued' AND (device = :device OR (device = 'auto' AND :auto))
ORDER BY priority DESC, number LIMIT 1
"""
CLAIM = """
UPDATE jobs SET state = 'running', worker = :worker, lease_until = :until, attempts = attempts + 1,
    started = coalesce(started, :now)
WHERE number = (<next>) RETURNING *
""".replace("<next>", NEXT)
RENEW = """
UPDATE jobs SET lease_until = ? WHERE id = ? AND worker = ? AND state = 'running' RETURNING cancel_requested
"""
STOP_WANTED = "SELECT cancel_requested FROM jobs WHERE id = ? AND worker = ? AND state = 'running'"
RECORD = "UPDATE jobs SET progress = ? WHERE id = ? AND worker = ? AND state = 'running' RETURNING id"
SET_FOLDER = "UPDATE jobs SET folder = ? WHERE id = ? AND worker = ? AND state = 'running'"
ASK_MEMORY = "UPDATE jobs SET asks_memory = 1 WHERE id = ? AND worker = ? AND state = 'running'"
NOTES = "SELECT notes FROM jobs WHERE id = ?"
SET_NOTES = "UPDATE jobs SET notes = ? WHERE id = ?"
FINISH = """
UPDATE jobs SET state = :state, result = :result, error = :error, finished = :now, worker = '', lease_until = NULL,
    asks_memory = 0
WHERE id = :id AND worker = :worker AND state = 'running' RETURNING *
"""
RELEASE = """
UPDATE jobs SET state = CASE WHEN cancel_requested IS NULL THEN 'queued' ELSE 'cancelled' END,
    finished = CASE WHEN cancel_requested IS NULL THEN NULL ELSE :now END,
    attempts = max(0, attempts - :unspent), worker = '', lease_until = NULL, asks_memory = 0
WHERE id = :id AND worker = :worker AND state = 'running' RETURNING *
"""

CANCEL_QUEUED = "UPDATE jobs SET state = 'cancelled', finished = ? WHERE id = ? AND state = 'queued' RETURNING *"
CANCEL_RUNNING = """
UPDATE jobs SET cancel_requested = ? WHERE id = ? AND state = 'running' AND cancel_requested IS NULL RETURNING *
"""
RESUME = """
UPDATE jobs SET state = 'queued', attempts = 0, cancel_requested = NULL, error = NULL, finished = NULL
WHERE id = ? AND state IN ('failed', 'cancelled') RETURNING *
"""
SET_PRIORITY = "UPDATE jobs SET priority = ? WHERE id = ? RETURNING *"
DELETE = "DELETE FROM jobs WHERE id = ? AND state != 'running' RETURNING id"

FAIL_QUEUED = """
UPDATE jobs SET state = 'failed', error = ?, finished = ? WHERE state = 'queued' AND device = ? RETURNING *
"""
EXPIRED = "SELECT * FROM jobs WHERE state = 'running' AND lease_until < ?"
OVERDUE = "SELECT * FROM jobs WHERE state = 'running' AND cancel_requested < ?"
OLD = """
SELECT id FROM jobs WHERE state IN ('done', 'failed', 'cancelled') AND (finished < :before OR number NOT IN (
    SELECT number FROM jobs WHERE state IN ('done', 'failed', 'cancelled') ORDER BY finished DESC, number DESC
    LIMIT :keep))
"""
