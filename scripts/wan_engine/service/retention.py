"""Removes what nobody looks at any more: old records of ended jobs with their logs and previews, old uploads.

Films are never removed, whatever becomes of their records.
"""

from __future__ import annotations

import logging
from pathlib import Path

from wan_engine.service.config import ServiceConfig
from wan_engine.service.store import JobStore
from wan_engine.storage.atomic import storage_error

log = logging.getLogger(__name__)


def forget(config: ServiceConfig, store: JobStore, job_id: str) -> bool:
    """Remove a job's record, log and previews. False: there is no such job, or it is running. Raises StorageError."""
    if not store.delete(job_id):
        return False
    _remove(config.log(job_id))
    for preview in (config.preview(job_id), *config.previews.glob(f"{job_id}_clip_*.mp4")):
        _remove(preview)
    return True


def sweep(config: ServiceConfig, store: JobStore) -> None:
    """Remove what is older than `keep_days` or beyond `keep_jobs`. Raises StorageError."""
    removed = [job_id for job_id in store.old(config.keep_days, config.keep_jobs) if forget(config, store, job_id)]
    if removed:
        log.info("Removed the records of %d ended jobs; their films stay", len(removed))
    oldest = store.clock() - config.keep_days * 86_400
    for path in config.uploads.iterdir() if config.uploads.is_dir() else ():
        # A resumed film reads its pictures again, so an upload stays as long as any job that names it.
        if path.is_file() and path.stat().st_mtime < oldest and not store.names(path.name):
            _remove(path)


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise storage_error(path, error, "remove") from error
