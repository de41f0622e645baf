"""Examines this machine: versions, devices, memory, ffmpeg, attention kernels and disks, by trying rather than asking.

Nothing here fails because something does not work: every failed trial keeps its reason in the report.
"""

from __future__ import annotations

import importlib
import logging
import os
import platform
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from wan_engine import __version__
from wan_engine.errors import MediaError, StorageError
from wan_engine.media.tools import ENCODERS, find_ffmpeg, try_encoder
from wan_engine.models.attention import try_kernels
from wan_engine.models.memory.cards import nvidia_cards
from wan_engine.settings import Settings
from wan_engine.storage.places import free_bytes, outputs_root
from wan_engine.words import counted

logger = logging.getLogger(__name__)

PACKAGES = ("torch", "diffusers", "transformers", "accelerate", "av")
"""The packages without which no film is rendered, by import name."""

CUDA_PAGE = 'docs/install.md, "A torch for your GPU"'


@dataclass(frozen=True)
class Trial:
    """Something that was tried. detail: its version or place if it works, the reason if it does not."""

    name: str
    works: bool
    detail: str = ""


@dataclass(frozen=True)
class Device:
    """Something torch can compute on. Memory in bytes; capability: CUDA's, such as `9.0`, "" elsewhere."""

    name: str
    label: str
    memory_bytes: int
    free_bytes: int
    capability: str = ""


@dataclass(frozen=True)
class Disk:
    """A folder that will be written to. free_bytes: None if it cannot be read."""

    use: str
    path: str
    free_bytes: int | None


@dataclass(frozen=True)
class Report:
    """What `examine` found. attention: tried on `attention_device`. notes: what the user should do something about."""

    engine: str
    python: str
    system: str
    packages: tuple[Trial, ...]
    devices: tuple[Device, ...]
    ffmpeg: Trial
    encoders: tuple[Trial, ...]
    attention_device: str
    attention: tuple[Trial, ...]
    disks: tuple[Disk, ...]
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The report as JSON-able values."""
        return asdict(self)

    def lines(self) -> list[str]:
        """The report for people, a line for each thing."""
        return [
            f"wan-engine {self.engine}, Python {self.python}, {self.system}",
            *_trial_lines("Packages", self.packages),
            *(_device_line(device) for device in self.devices),
            *_trial_lines("Media", (self.ffmpeg,)),
            *_trial_lines("Encoders", self.encoders),
            *_trial_lines(f"Attention on {self.attention_device}", self.attention),
            *(_disk_line(disk) for disk in self.disks),
            *(f"Note: {note}" for note in self.notes),
        ]


def examine() -> Report:
    """Examine this machine. Takes seconds: torch is loaded, and each encoder and kernel is really run."""
    packages = tuple(_package(name) for name in PACKAGES)
    torch_works = packages[0].works
    ffmpeg, encoders = _ffmpeg()
    device = _best_device() if torch_works else ""
    return Report(
        engine=__version__,
        python=platform.python_version(),
        system=f"{platform.system()} {platform.machine()}",
        packages=packages,
        devices=(host_device(), *(accelerators() if torch_works else ())),
        ffmpeg=ffmpeg,
        encoders=encoders,
        attention_device=device,
        attention=_trials(try_kernels(device)) if torch_works else (),
        disks=(_disk("outputs", outputs_root(Settings())),),
        notes=_notes() if torch_works else ("torch cannot be loaded: run python install.py engine",),
    )


def _trial_lines(title: str, trials: tuple[Trial, ...]) -> list[str]:
    works = ", ".join(f"{trial.name} {trial.detail}".strip() for trial in trials if trial.works)
    lines = [f"{title}: {works}"] if works else []
    return lines + [f"{title}: {trial.name} does not work: {trial.detail}" for trial in trials if not trial.works]


def _device_line(device: Device) -> str:
    capability = f", compute capability {device.capability}" if device.capability else ""
    memory = f"{_gigabytes(device.memory_bytes)} memory, {_gigabytes(device.free_bytes)} free"
    return f"Device {device.name}: {device.label}, {memory}{capability}"


def _disk_line(disk: Disk) -> str:
    free = "free space unknown" if disk.free_bytes is None else f"{_gigabytes(disk.free_bytes)} free"
    return f"Disk for {disk.use}: {disk.path}, {free}"


def _gigabytes(count: int) -> str:
    return f"{count / 1e9:.1f} GB"


def _reason(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())


def _package(name: str) -> Trial:
    try:
        module = importlib.import_module(name)
    except Exception as error:  # noqa: BLE001 - a damaged package raises anything; its words go into the report
        return Trial(name, False, _reason(error))
    return Trial(name, True, str(module.__version__))


def host_device() -> Device:
    """The CPU, with the machine's memory."""
    import psutil

    memory = psutil.virtual_memory()
    return Device("cpu", counted(os.cpu_count() or 1, "core"), memory.total, memory.available)


def accelerators() -> tuple[Device, ...]:
    """The GPUs that torch can use. Raises what torch raises for a damaged driver."""
    import psutil
    import torch

    found = []
    for index in range(torch.cuda.device_count()):
        free, total = torch.cuda.mem_get_info(index)
        major, minor = torch.cuda.get_device_capability(index)
        label = torch.cuda.get_device_name(index)
        found.append(Device(f"cuda:{index}", label, total, free, "" if torch.version.hip else f"{major}.{minor}"))
    for index in range(torch.xpu.device_count()):
        free, total = torch.xpu.mem_get_info(index)
        found.append(Device(f"xpu:{index}", torch.xpu.get_device_name(index), total, free))
    if torch.backends.mps.is_available():
        memory = psutil.virtual_memory()
        found.append(Device("mps", "Apple GPU, shares the host's memory", memory.total, memory.available))
    return tuple(found)


def _best_device() -> str:
    import torch

    if torch.cuda.is_available():
        return "cuda"
    if torch.xpu.is_available():
        return "xpu"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _notes() -> tuple[str, ...]:
    import torch

    cards = [card.name for card in nvidia_cards()]
    if not cards or torch.cuda.is_available():
        return ()
    card = ", ".join(cards)
    if torch.version.cuda is None:
        return (f"{card} is not used: torch {torch.__version__} has no CUDA. See {CUDA_PAGE}",)
    try:
        torch.cuda.init()  # type: ignore[no-untyped-call]
    except (RuntimeError, AssertionError) as error:
        return (f"{card} is not used: {_reason(error)}. Update the driver or see {CUDA_PAGE}",)
    return ()


def _ffmpeg() -> tuple[Trial, tuple[Trial, ...]]:
    try:
        ffmpeg = find_ffmpeg()
    except MediaError as error:
        return Trial("ffmpeg", False, str(error)), ()
    encoders = _trials({name: try_encoder(ffmpeg, name) for name in ENCODERS})
    return Trial("ffmpeg", True, f"{ffmpeg.version} ({ffmpeg.source}) {ffmpeg.path}"), encoders


def _trials(reasons: dict[str, str]) -> tuple[Trial, ...]:
    return tuple(Trial(name, not reason, reason) for name, reason in reasons.items())


def _disk(use: str, path: Path) -> Disk:
    try:
        return Disk(use, str(path), free_bytes(path))
    except StorageError as error:
        logger.info("the free space of %s is unknown: %s", path, error)
        return Disk(use, str(path), None)
