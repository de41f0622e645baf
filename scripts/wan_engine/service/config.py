"""How a running service is set up: its places, limits and times, written by the server and read by its workers."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from wan_engine.errors import StorageError
from wan_engine.home import state_home
from wan_engine.models.catalog.places import extra_roots
from wan_engine.service.allowed import Roots
from wan_engine.storage.atomic import storage_error, write_json

CONFIG_FILE = "config.json"
"""File in the state folder with the set-up of the server that runs, or ran last."""


@dataclass(frozen=True)
class Timing:
    """How long things take or wait, in seconds.

    lease: after this without a sign of life a worker's job is taken from it.  renew: time between signs of life.
    poll: time between looks for work and for the wish to stop.  worker_idle: a worker without work ends after it.
    cancel_patience: a worker that has not stopped by then is killed.  host_wait: longest wait for the WebUIs to free a
    GPU.  host_fresh: a WebUI that said nothing for so long is gone.  sweep: time between removals of old records.
    """

    lease: float = 15.0
    renew: float = 3.0
    poll: float = 0.5
    worker_idle: float = 60.0
    cancel_patience: float = 60.0
    host_wait: float = 120.0
    host_fresh: float = 10.0
    sweep: float = 3600.0


@dataclass(frozen=True)
class ServiceConfig:
    """The set-up of a service.

    home: the state folder.  outputs: where films go whose settings do not say.  model_roots: folders of models.
    allowed: further folders that inputs may come from.  idle_minutes: the server ends after it without clients or
    jobs; 0 never.  keep_days, keep_jobs: records of ended jobs, and uploads, that are older, and records beyond that
    number, are removed; films never are.  min_free_bytes: a job does not begin with less free on its disk.
    """

    home: Path
    outputs: Path
    model_roots: tuple[Path, ...] = ()
    allowed: tuple[Path, ...] = ()
    idle_minutes: float = 30.0
    max_upload_bytes: int = 4_000_000_000
    keep_days: float = 30.0
    keep_jobs: int = 500
    min_free_bytes: int = 1_000_000_000
    timing: Timing = field(default_factory=Timing)

    @property
    def database(self) -> Path:
        """The jobs, SQLite."""
        return self.home / "jobs.sqlite3"

    @property
    def uploads(self) -> Path:
        """Folder of what clients sent."""
        return self.home / "uploads"

    @property
    def logs(self) -> Path:
        """Folder of one log file a job, and of the workers' own."""
        return self.home / "logs"

    @property
    def previews(self) -> Path:
        """Folder of one picture a job: what is being made."""
        return self.home / "previews"

    def log(self, job_id: str) -> Path:
        """The log file of a job."""
        return self.logs / f"{job_id}.log"

    def preview(self, job_id: str) -> Path:
        """The latest preview picture of a job, JPEG."""
        return self.previews / f"{job_id}.jpg"

    def roots(self) -> Roots:
        """Every folder whose files the API may name; of the state folder only the uploads."""
        models = (*self.model_roots, *extra_roots(self.model_roots, self.home))
        return Roots((self.uploads, self.outputs, *models, *self.allowed), private=self.home)

    def make_folders(self) -> None:
        """Make the folders of the state, for their owner alone: they hold prompts and pictures. Raises StorageError."""
        for folder in (self.home, self.uploads, self.logs, self.previews):
            try:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            except OSError as error:
                raise storage_error(folder, error, "make the folder") from error


def config_from(flags: Mapping[str, Any], environ: Mapping[str, str] = os.environ) -> ServiceConfig:
    """The set-up that the flags ask for. flags: by the names of ServiceConfig's fields; None and () are not given.

    Without a flag the state lies where `home.state_home` says, films go to `outputs` in the current folder, and models
    are looked for in `models` in the state folder.
    """
    given = {name: value for name, value in flags.items() if value is not None and value != ()}
    home = _path(given.pop("home", None) or state_home(environ))
    outputs = _path(given.pop("outputs", None) or "outputs")
    roots = tuple(_path(root) for root in given.pop("model_roots", None) or (home / "models",))
    allowed = tuple(_path(folder) for folder in given.pop("allowed", ()))
    return ServiceConfig(home=home, outputs=outputs, model_roots=roots, allowed=allowed, **given)


def _path(value: str | Path) -> Path:
    return Path(value).expanduser().absolute()


def write_config(config: ServiceConfig) -> None:
    """Leave the set-up in the state folder, for workers. Raises StorageError."""
    config.make_folders()
    write_json(config.home / CONFIG_FILE, asdict(config, dict_factory=_json_able))


def _json_able(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    def plain(value: Any) -> Any:
        if isinstance(value, tuple):
            return [plain(each) for each in value]
        return str(value) if isinstance(value, Path) else value

    return {name: plain(value) for name, value in pairs}


def read_config(home: Path) -> ServiceConfig:
    """The set-up of the server of this state folder. Raises StorageError if there is none or it is damaged."""
    path = home / CONFIG_FILE
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        known = {entry.name: values[entry.name] for entry in fields(ServiceConfig)}
        paths = {name: Path(known[name]) for name in ("home", "outputs")}
        lists = {name: tuple(Path(each) for each in known[name]) for name in ("model_roots", "allowed")}
        return ServiceConfig(**{**known, **paths, **lists, "timing": Timing(**known["timing"])})
    except OSError as error:
        raise storage_error(path, error, "read") from error
    except (ValueError, KeyError, TypeError) as error:
        raise StorageError(f"{path} is damaged: {error}", "Start the engine again: it writes the file anew") from error
