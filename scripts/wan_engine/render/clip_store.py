"""The clips folder beside a film: finished clips, the one in the middle, and what each was made from.

    clip_0003.mkv                 lossless frames 0 .. last of a finished clip, at the model's rate
    clip_0003.json                the hashes of the inputs it was made from and of the file
    clip_0003.state.safetensors   a clip in the middle of its denoising; gone when the clip is finished
    earlier/                      finished clips of a film before, until they are used or the film is whole

A file that is there is whole: each is written under another name and renamed. A clip counts as finished only if the
hash of its inputs (the plan, start and end picture, model and precision) is the one recorded, so that a changed
plan renders again just what differs.
"""

from __future__ import annotations

import json
import logging
import shutil
from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wan_engine.backends import ClipRequest, RunState
from wan_engine.media.clipfile import ClipWriter, clip_frame, read_clip
from wan_engine.plan.model import Clip, Plan
from wan_engine.plan.repairs import MOST_RETRIES
from wan_engine.render.patch import Patch
from wan_engine.storage.atomic import storage_error, write_bytes, write_json
from wan_engine.storage.hashes import file_hash, hash_bytes, value_hash
from wan_engine.storage.places import check_free_space

if TYPE_CHECKING:
    from wan_engine.backends import Picture

logger = logging.getLogger(__name__)

_EARLIER = "earlier"
_NOT_INPUTS = (
    *("index", "chain", "key", "part", "parts", "start", "end", "arrives", "continuity"),
    *("start_image", "end_image", "init_video", "loras", "loops", "overlap", "overlap_noise"),
    *("hold_colour", "pin_colour", "pictures"),
)
"""Fields of a clip that do not change its pictures: where it lies in the film, and paths whose content is hashed."""


@dataclass(frozen=True)
class ClipStore:
    """Reads and writes one film's clips folder.

    chosen: the take of a clip that the film shows, by the clip's index; the first, 0, unless another is better.
    patches: frames that mend the seam in front of a clip, by the clip's index.
    """

    folder: Path
    plan: Plan
    chosen: dict[int, int] = field(default_factory=dict)
    patches: dict[int, Patch] = field(default_factory=dict)

    def take(self, number: int) -> ClipStore:
        """Where take `number`, from 1, of clips that are rendered more than once lies."""
        return ClipStore(self.folder / f"take_{number}", self.plan)

    @property
    def mended(self) -> ClipStore:
        """Where the clips that mend seams lie."""
        return ClipStore(self.folder / "mended", self.plan)

    @property
    def earlier(self) -> ClipStore:
        """Where the finished clips of an earlier film lie that may come out the same in this one."""
        return ClipStore(self.folder / _EARLIER, self.plan)

    def patch_file(self, clip: Clip, number: int) -> Path:
        """Where the frames lie that mend the seam in front of a clip, at the `number`th trial."""
        return self.folder / f"seam_{clip.index:04d}_{number}.mkv"

    def film_file(self, clip: Clip) -> Path:
        """Where the frames of the clip that the film shows lie: those of the take that was chosen."""
        take = self.chosen.get(clip.index, 0)
        return self.take(take)._own_file(clip) if take else self._own_file(clip)

    def _own_file(self, clip: Clip) -> Path:
        return _film_file(self.folder, clip.index)

    def _record_file(self, clip: Clip) -> Path:
        return _record_file(self.folder, clip.index)

    def state_file(self, clip: Clip) -> Path:
        """Where the state of a clip in the middle lies."""
        return self.folder / f"clip_{clip.index:04d}.state.safetensors"

    def inputs_hash(self, request: ClipRequest) -> str:
        """Hash of everything that decides the clip's pictures."""
        resolved = self.plan.resolved
        values = {name: value for name, value in asdict(request.clip).items() if name not in _NOT_INPUTS}
        values.update(
            width=request.width,
            height=request.height,
            start=_picture_hash(request.start_image),
            end=_picture_hash(request.end_image),
            backend=resolved.get("backend"),
            dtype=resolved.get("dtype"),
            model=resolved.get("models", {}).get(request.clip.mode),
        )
        if request.clip.loras:  # films from before there were any keep their hashes
            known = resolved.get("loras", {})
            values["loras"] = [[known.get(lora.path), lora.weight, lora.expert] for lora in request.clip.loras]
        if request.beginning:
            pictures = [_picture_hash(picture) for picture in request.beginning]
            values["beginning"] = [pictures, request.clip.overlap_noise]
        if request.control is not None:
            values["control"] = [request.control.fingerprint(), request.clip.overlap, request.clip.overlap_noise]
        if request.clip.hold_colour:
            values["hold_colour"] = True if request.end_image is None else "to the end"
        if request.clip.pin_colour:
            values["pin_colour"] = request.clip.pin_colour
        return value_hash(values)

    def is_finished(self, clip: Clip, inputs: str) -> bool:
        """Whether the clip is there, whole, and made from these inputs; one of an earlier film is taken then."""
        return self._holds(clip, inputs) or self._takes_over(clip, inputs)

    def _takes_over(self, clip: Clip, inputs: str) -> bool:
        if not self.earlier._holds(clip, inputs):
            return False
        files = (
            (self.earlier._own_file(clip), self._own_file(clip)),
            (self.earlier._record_file(clip), self._record_file(clip)),
        )
        for theirs, own in files:
            try:
                theirs.replace(own)
            except OSError as error:
                raise storage_error(own, error, "write") from error
        self.state_file(clip).unlink(missing_ok=True)
        return True

    def _holds(self, clip: Clip, inputs: str) -> bool:
        if not (self._own_file(clip).is_file() and self._record_file(clip).is_file()):
            return False
        try:
            record = json.loads(self._record_file(clip).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            logger.warning("clip %d is rendered anew, its record cannot be read: %s", clip.index + 1, error)
            return False
        if not isinstance(record, dict) or record.get("inputs") != inputs:
            return False
        if record.get("file") != file_hash(self._own_file(clip)):
            logger.warning("clip %d is rendered anew, its file has changed", clip.index + 1)
            return False
        return True

    def writer(self, clip: Clip) -> ClipWriter:
        """Writes the clip's frames; nothing is seen under its name until it is closed."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return ClipWriter(self._own_file(clip), self.plan.width, self.plan.height, self.plan.model_fps)

    def record(self, clip: Clip, inputs: str) -> None:
        """Note a finished clip and forget its state."""
        write_json(self._record_file(clip), {"inputs": inputs, "file": file_hash(self._own_file(clip))})
        self.state_file(clip).unlink(missing_ok=True)

    def forget(self, clip: Clip) -> None:
        """Have the clip rendered again from its first step, every take of it."""
        for store in (self, self.earlier, *(self.take(number) for number in range(1, MOST_RETRIES + 1))):
            for file in (store._record_file(clip), store._own_file(clip), store.state_file(clip)):
                file.unlink(missing_ok=True)

    def frames(self, clip: Clip) -> Iterator[Picture]:
        """The finished clip's model frames in order, with those in their place that mend its seams."""
        behind = clip.index + 1 if clip.index + 1 < len(self.plan.clips) else 0
        patched: dict[int, Picture] = {}
        if clip.index in self.patches:
            patched.update(self.patches[clip.index].behind(clip))
        if behind in self.patches:
            patched.update(self.patches[behind].ahead(clip))
        for number, frame in enumerate(read_clip(self.film_file(clip))):
            yield patched.get(number, frame)

    def hand_over(self, clip: Clip) -> Picture:
        """The finished clip's model frame `last`: the first film frame of the next clip."""
        return clip_frame(self.film_file(clip), clip.last)

    def last_frames(self, clip: Clip, count: int) -> tuple[Picture, ...]:
        """The finished clip's last frames, up to and including the one it hands over."""
        frames = islice(read_clip(self.film_file(clip)), clip.last + 1)
        return tuple(deque(frames, maxlen=count))

    def first_frame(self, clip: Clip) -> Picture:
        """The finished clip's first film frame."""
        return clip_frame(self.film_file(clip), clip.first)

    def save_state(self, clip: Clip, inputs: str, state: RunState) -> None:
        """Write the state of a clip in the middle; the one before it stays until this one is whole."""
        from safetensors.numpy import save

        self.folder.mkdir(parents=True, exist_ok=True)
        meta = {"inputs": inputs, "step": str(state.step), "values": json.dumps(state.values)}
        write_bytes(self.state_file(clip), save(state.arrays, metadata=meta))

    def load_state(self, clip: Clip, inputs: str) -> RunState | None:
        """The saved state of a clip in the middle, None if there is none for these inputs."""
        from safetensors import SafetensorError, safe_open

        path = self.state_file(clip)
        if not path.is_file():
            return None
        try:
            with safe_open(path, framework="numpy") as file:
                meta: dict[str, str] = file.metadata() or {}
                if meta.get("inputs") != inputs:
                    return None
                arrays: dict[str, Any] = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            return RunState(step=int(meta["step"]), arrays=arrays, values=json.loads(meta["values"]))
        except (OSError, SafetensorError, KeyError, ValueError) as error:
            logger.warning("the saved state of clip %d cannot be read and it starts anew: %s", clip.index + 1, error)
            return None


def finished_clip(folder: Path, index: int) -> Path | None:
    """The lossless file of clip `index` (from 0) in a clips folder, None as long as it is not finished."""
    there = _film_file(folder, index).is_file() and _record_file(folder, index).is_file()
    return _film_file(folder, index) if there else None


def offer_clips(earlier: Path, folder: Path, plan: Plan) -> None:
    """Put the finished clips of an earlier film into a new clips folder, as other names of the same files."""
    try:
        (folder / _EARLIER).mkdir(parents=True)
        for index in (clip.index for clip in plan.clips if finished_clip(earlier, clip.index)):
            for file in (_film_file(earlier, index), _record_file(earlier, index)):
                (folder / _EARLIER / file.name).hardlink_to(file)
    except OSError as error:
        logger.info("the clips in %s are not used again: %s", earlier, error)


def drop_offered(folder: Path) -> None:
    """Remove the clips of an earlier film that were of no use."""
    if (folder / _EARLIER).is_dir():
        shutil.rmtree(folder / _EARLIER)


def check_room_for_rest(plan: Plan, folder: Path) -> None:
    """Raise StorageError unless the disk has room for the clips that a clips folder does not hold yet."""
    missing = sum(clip.frames for clip in plan.clips if finished_clip(folder, clip.index) is None)
    needed = plan.disk_bytes * missing // sum(clip.frames for clip in plan.clips)
    check_free_space(folder, needed, "Free some space, then go on with the film")


def _film_file(folder: Path, index: int) -> Path:
    return folder / f"clip_{index:04d}.mkv"


def _record_file(folder: Path, index: int) -> Path:
    return folder / f"clip_{index:04d}.json"


def _picture_hash(picture: Picture | None) -> str:
    return hash_bytes(picture.tobytes()) if picture is not None else ""
