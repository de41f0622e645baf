"""The records of the service: a job, where it stands, what happened to it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from wan_engine.errors import InputError, Problem

STATES = ("queued", "running", "done", "failed", "cancelled")
"""What a job can be. queued -> running -> done, failed or cancelled; a failed or cancelled one can be queued again."""

ENDED = ("done", "failed", "cancelled")
"""States in which nothing happens any more."""

KINDS = ("render", "split", "outpaint", "storyboard", "keyframes")
"""render: a film of settings.  split: films cut into their scenes.  outpaint: a film made larger, or in parts anew.
storyboard: a long prompt planned, or a storyboard made into a film.  keyframes: a storyboard's pictures."""

AUTO = "auto"
"""The device of a job that any of the machine's usual workers may take."""

_DEVICE = re.compile(r"auto|cpu|mps|(cuda|xpu)(:(0|[1-9][0-9]{0,2}))?")


def device_name(text: str, field: str = "device") -> str:
    """A device as the service names it: `cuda` becomes `cuda:0`. Raises InputError, at this field, for what is none."""
    name = text.strip().lower()
    if not _DEVICE.fullmatch(name):
        message = f'"{text[:80]}" is no device'
        raise InputError(Problem(message, "Use auto, cpu, cuda, cuda:1, mps or xpu", field=field))
    return f"{name}:0" if name in ("cuda", "xpu") else name


@dataclass(frozen=True)
class Progress:
    """Where a job stands: the film's latest event (see `render.events.Event`).

    preview_number: how many previews there were in this run; a new number means a new picture.
    """

    message: str = ""
    kind: str = ""
    clip: int = 0
    clips: int = 0
    step: int = 0
    steps: int = 0
    steps_done: int = 0
    steps_total: int = 0
    seconds_left: float | None = None
    preview_number: int = 0


@dataclass(frozen=True)
class NewJob:
    """What is put into the queue.

    settings: a complete settings mapping (`settings.settings_to_mapping`; of other kinds, what `split_orders`,
    `outpaint_orders` or `story_orders` makes), paths
    absolute.  priority: higher goes first.  device: as from `device_name`.  kind: of `KINDS`.
    """

    settings: Mapping[str, Any]
    title: str = ""
    batch: str = ""
    priority: int = 0
    device: str = AUTO
    notes: tuple[str, ...] = ()
    kind: str = "render"


@dataclass(frozen=True)
class Job:
    """One film to be made, being made or made. Times are seconds since 1970.

    id: of letters, digits, `_` and `-`.  batch: the same for jobs that were sent together, else "".  attempts: how
    often a worker began it since a user last queued it; a worker that gives it back in order does not count.
    folder: of the film, "" until it is begun.  result: paths of what was made, by name.  error: what went wrong, as
    `errors.WanError.as_dict`.  asks_memory: it runs on a GPU that a WebUI may have in use.
    """

    id: str
    state: str
    title: str
    batch: str
    priority: int
    device: str
    settings: dict[str, Any]
    notes: tuple[str, ...]
    created: float
    started: float | None = None
    finished: float | None = None
    attempts: int = 0
    folder: str = ""
    progress: Progress = field(default_factory=Progress)
    result: dict[str, Any] | None = None
    error: dict[str, Any] | None = None
    cancel_requested: bool = False
    worker: str = ""
    asks_memory: bool = False
    kind: str = "render"

    def as_dict(self) -> dict[str, Any]:
        """The job as JSON-able values, its own and not copies: clients ask for them many times a second."""
        return {**vars(self), "notes": list(self.notes), "progress": asdict(self.progress)}


@dataclass(frozen=True)
class JobEvent:
    """Something that happened to a job.

    number: counts up from 1 in each job; numbers may be missing where old steps were dropped.  time: seconds since
    1970.  kind: of the film's events, or `state` when the job changed its state, or `note`.  data: for a film's event
    the values of `Progress`, for `state` {"state": ...}.
    """

    job_id: str
    number: int
    time: float
    kind: str
    message: str = ""
    data: dict[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """The event as JSON-able values."""
        return asdict(self)
