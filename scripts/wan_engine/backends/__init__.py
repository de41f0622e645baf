"""What a backend must do: turn one planned clip into frames, one denoising step at a time.

`render` drives a backend and knows nothing of models; a backend knows nothing of films, files or resuming. A second
backend is one file with one `Backend` and one `ClipRun`, entered in `BACKENDS`. The same tests run over all of them
(`tests/backends/test_interface.py`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from wan_engine.backends.control import Control
from wan_engine.models.attempts import Attempt
from wan_engine.plan.model import Clip, Plan

if TYPE_CHECKING:
    import numpy.typing as npt

    from wan_engine.media.picture import Picture as Picture


Changed = Callable[[dict[str, Any]], None]
"""Takes values of `plan.resolved` that became others."""


@dataclass(frozen=True)
class ClipRequest:
    """One clip to render: what the plan says and the pictures it starts from and arrives at.

    start_image, end_image: RGB pictures of exactly width x height, or None as the clip's mode says.
    beginning: in place of a start image, the clip's first `clip.overlap` frames: 4k+1 pictures of that size.
    control: in place of all these, what is known of each frame, for the mode vace.
    """

    clip: Clip
    width: int
    height: int
    start_image: Picture | None = None
    end_image: Picture | None = None
    beginning: tuple[Picture, ...] = ()
    control: Control | None = None

    @property
    def known(self) -> tuple[Picture, ...]:
        """The pictures that the clip's first frames are."""
        return self.beginning if self.start_image is None else (self.start_image,)


@dataclass(frozen=True)
class RunState:
    """A clip in the middle of its denoising, as plain arrays and JSON-able values.

    step: steps done.  arrays: everything tensor-like, by name.  values: everything else.
    """

    step: int
    arrays: dict[str, npt.NDArray[Any]] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)


class ClipRun(ABC):
    """One clip being rendered.

    Contract: `steps_done` starts at 0 (or at the state it was started from) and grows by one with each `step()` until
    it is `clip.steps`; then `frames()` may be called once. A run started from `state()` ends in the same frames, bit
    for bit on the CPU, as the run that went on.
    """

    steps_done: int

    @abstractmethod
    def step(self) -> None:
        """Do one denoising step. Raises RenderError or OutOfMemoryError."""

    @abstractmethod
    def state(self) -> RunState:
        """Everything needed to go on from here; later steps do not change what was returned."""

    @abstractmethod
    def preview(self) -> Picture:
        """A picture of what the clip is becoming, of any size; cheap beside a step."""

    @abstractmethod
    def frames(self) -> Iterator[Picture]:
        """The finished clip: exactly `clip.frames` pictures of the request's size, in order."""


class Backend(ABC):
    """A way to render clips. Made once a film (or worker), used for many clips, closed at the end."""

    @abstractmethod
    def resolve(self, plan: Plan) -> dict[str, Any]:
        """What this machine will render with (device, dtype, threads, model hash): JSON-able, written into the plan.

        Values already in `plan.resolved` are kept where this machine can keep them; what differs comes back changed.
        """

    def settle_memory(self, plan: Plan, changed: Changed = lambda values: None) -> dict[str, Any]:
        """What is decided just before the first clip, when other programs have freed their memory; as `resolve`.

        changed: is given new values when something has to be decided otherwise on the way, such as a full memory.
        """
        return {}

    @abstractmethod
    def start(self, request: ClipRequest, state: RunState | None = None) -> ClipRun:
        """Begin a clip, or go on with one from `state`. Loads what is needed. Raises ModelError, RenderError."""

    def attempts(self) -> tuple[Attempt, ...]:
        """What was tried since this was last asked, such as the files that were loaded; nothing unless told."""
        return ()

    @abstractmethod
    def close(self) -> None:
        """Give memory back. May be called twice."""
