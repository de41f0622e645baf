"""Measures what a model of a published size takes under a memory profile, by rendering a clip with random weights."""

from __future__ import annotations

import hashlib
import re
import time
from dataclasses import asdict, dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from wan_engine.backends import ClipRequest
from wan_engine.backends.wan.backend import Options, WanBackend
from wan_engine.backends.wan.parts import Models
from wan_engine.backends.wan.random_models import RandomLoader, RandomModels
from wan_engine.errors import RenderError
from wan_engine.families import FAMILIES, MODES, Lineup, Mode, ModelCard
from wan_engine.models.devices import choose_device, choose_dtype
from wan_engine.models.memory.needs import Clip as AskedClip
from wan_engine.models.memory.needs import needs
from wan_engine.models.memory.place import release
from wan_engine.models.memory.profiles import profile_of
from wan_engine.plan.model import Clip

PICTURES = 13
"""Pictures that are decoded: those of the first four latent frames; later ones need no more memory."""
_PEAK = re.compile(r"VmHWM:\s+(\d+) kB")


@dataclass(frozen=True)
class Case:
    """What is measured. width, height in pixels.  frames: 4k+1.  steps: of denoising.

    guided: each step renders the negative text too, which takes twice the time and hardly more memory.
    limit: bytes of the device's memory that may be used, 0 for all of it.  compile: `on` or `off`.
    packing: that of the models, for the words about it.
    """

    family: str
    profile: str
    width: int
    height: int
    frames: int
    steps: int
    guided: bool = False
    limit: int = 0
    fp8: bool = False
    attention: str = "sdpa"
    compile: str = "off"
    packing: str = ""

    @property
    def words(self) -> str:
        """Its name: the family, and after colons what of it."""
        marks = [self.packing, "fp8" if self.fp8 else "", "compile" if self.compile == "on" else "", self.profile]
        return ":".join([self.family, *filter(None, marks)])


@dataclass(frozen=True)
class Measured:
    """What came out. Memory in bytes, times in seconds.

    ended: the profile it ended with, lower than asked for when the memory was full on the way.
    first: the first step, with what is compiled in it.
    allocated, reserved: the most that tensors took on the device, and torch for them.  estimated: what was expected.
    main_memory: the most that the process had in main memory.  start: loading, encoding and preparing.
    latents: a hash of the result, equal where the result is equal to the bit.
    """

    case: Case
    ended: str
    allocated: int = 0
    reserved: int = 0
    estimated: int = 0
    main_memory: int = 0
    start: float = 0.0
    first: float = 0.0
    step: float = 0.0
    decode: float = 0.0
    latents: str = ""
    notes: tuple[str, ...] = ()
    error: str = ""

    def lines(self) -> list[str]:
        """The figures in words."""
        gigabytes = {
            "at most on the device": self.allocated,
            "taken for it": self.reserved,
            "estimated": self.estimated,
            "in main memory": self.main_memory,
        }
        memory = ", ".join(f"{words} {size / 1e9:.1f} GB" for words, size in gigabytes.items() if size)
        steps = f"the first step {self.first:.2f} s, a later one {self.step:.2f} s"
        times = f"start {self.start:.1f} s, {steps}, {PICTURES} pictures {self.decode:.1f} s"
        return [f"{self.case.words}: {memory}; {times}", *self.notes, *([self.error] if self.error else [])]

    def as_dict(self) -> dict[str, Any]:
        """The figures as JSON-able values."""
        return asdict(self)


def measure_case(case: Case, models: RandomModels, device: str = "auto", dtype: str = "auto") -> Measured:
    """Render the case and say what it took. An error of the render is part of the answer.

    models: of the case's family; what is made of them stays for the next case. Raises CapabilityError for a device that
    is not there.
    """
    device = choose_device(device)
    dtype = choose_dtype(dtype, device)
    notes: list[str] = []
    family = FAMILIES[case.family]
    mode = next(mode for mode in MODES if mode in family.modes)
    card = ModelCard(f"random {family.label}", family, family.modes)
    loader = partial(RandomLoader, models)
    options = Options(device, dtype, case.profile, case.fp8, case.attention, case.compile)
    backend = WanBackend(Lineup({mode: card}), options, notes.append, Models(loader, models.weigh, models.fingerprints))
    weights = models.weigh([card], dtype, device == "cpu", case.fp8)
    asked = AskedClip(case.width, case.height, case.frames, mode)
    figures: dict[str, Any] = {"estimated": needs(profile_of(case.profile), weights, asked).device}
    models.rest()
    release(device)
    _limit(device, case.limit)
    _forget_peaks(device)
    try:
        _render(backend, _request(case, mode), figures, device)
    except RenderError as error:
        figures["error"] = str(error)
    finally:
        ended = backend.profile.name if backend.profile else case.profile
        figures |= _peaks(device)
        backend.close()
        release(device)
        _limit(device, 0)
    return Measured(case=case, ended=ended, notes=tuple(notes), **figures)


def _render(backend: WanBackend, request: ClipRequest, figures: dict[str, Any], device: str) -> None:
    clock = _Clock(device)
    run = backend.start(request)
    figures["start"] = clock.lap()
    while run.steps_done < request.clip.steps:
        run.step()
        if run.steps_done == 1:
            figures["first"] = clock.lap()
    rest = request.clip.steps - 1
    figures["step"] = clock.lap() / rest if rest else figures["first"]
    figures["latents"] = hashlib.sha256(run.state().arrays["latents"].tobytes()).hexdigest()[:16]
    clock.lap()
    for _ in islice(run.frames(), PICTURES):
        pass
    figures["decode"] = clock.lap()


def _request(case: Case, mode: Mode) -> ClipRequest:
    import numpy as np

    picture = np.full((case.height, case.width, 3), 90, np.uint8)
    clip = Clip(
        index=0,
        start=0,
        end=case.frames - 1,
        mode=mode,
        frames=case.frames,
        intervals=case.frames - 1,
        arrives=case.frames - 1,
        prompt="a lighthouse on a cliff at dawn, waves below",
        negative="blurred",
        seed=1,
        steps=case.steps,
        guidance_scale=5.0 if case.guided else 1.0,
        guidance_scale_2=None,
        flow_shift=3.0,
        sampler="unipc",
        continuity="cut",
        chain=0,
    )
    start, end = (picture if mode != "t2v" else None), (picture if mode == "flf2v" else None)
    return ClipRequest(clip, case.width, case.height, start, end)


class _Clock:
    """Seconds of each lap, after the device has done what it was given."""

    def __init__(self, device: str) -> None:
        self._cuda = device.startswith("cuda")
        self._mark = time.perf_counter()

    def lap(self) -> float:
        """Seconds since the last lap."""
        import torch

        if self._cuda:
            torch.cuda.synchronize()
        now = time.perf_counter()
        seconds, self._mark = now - self._mark, now
        return seconds


def _limit(device: str, limit: int) -> None:
    """Let torch use no more than `limit` bytes of a CUDA device; 0 takes the limit away."""
    import torch

    if device.startswith("cuda"):
        whole = torch.cuda.get_device_properties(device).total_memory
        torch.cuda.set_per_process_memory_fraction(min(1.0, limit / whole) if limit else 1.0, device)


def _forget_peaks(device: str) -> None:
    import torch

    if device.startswith("cuda"):
        torch.cuda.reset_peak_memory_stats(device)
    clear = Path("/proc/self/clear_refs")
    if clear.exists():
        clear.write_text("5")  # proc(5): resets the peak of the resident set


def _peaks(device: str) -> dict[str, int]:
    import psutil
    import torch

    status = Path("/proc/self/status")
    found = _PEAK.search(status.read_text()) if status.exists() else None
    peaks = {"main_memory": int(found[1]) * 1024 if found else psutil.Process().memory_info().rss}
    if device.startswith("cuda"):
        peaks["allocated"] = torch.cuda.max_memory_allocated(device)
        peaks["reserved"] = torch.cuda.max_memory_reserved(device)
    return peaks
