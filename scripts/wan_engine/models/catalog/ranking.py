"""Puts parts that would all do in order: the nearest first, then the more precise, then by path."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

from wan_engine.models.detect import Part

PRECISIONS = (
    *("fp64", "fp32", "bf16", "fp16", "Q8_0", "fp8_e4m3fn scaled", "fp8_e5m2 scaled", "fp8_e4m3fn", "fp8_e5m2"),
    *("Q6_K", "Q5_K", "Q5_1", "Q5_0", "Q4_K", "IQ4_NL", "IQ4_XS", "Q4_1", "Q4_0", "Q3_K", "Q2_K"),
)
"""Number formats by what is left of the weights, the best first."""

_GENERIC = re.compile(r"(diffusion_pytorch_model|pytorch_model|model|weights)([-_.].*)?")
_PART_NAMES = ("high_noise_model", "low_noise_model", "transformer", "transformer_2")


def ranked(parts: Iterable[Part], near: Path) -> list[Part]:
    """The parts as they are preferred for a model whose transformer is `near`."""
    return sorted(parts, key=lambda part: (distance(part.path, near), precision_rank(part.precision), str(part.path)))


def distance(path: Path, near: Path) -> int:
    """Folders to go up from `near` to where `path` lies below too; 0 for the same folder or one in it."""
    common = Path(os.path.commonpath([path.parent, near.parent])) if path.drive == near.drive else Path(near.anchor)
    return len(near.parent.parts) - len(common.parts)


def precision_rank(precision: str) -> int:
    """Place of a number format in `PRECISIONS`; unknown ones come last."""
    return PRECISIONS.index(precision) if precision in PRECISIONS else len(PRECISIONS)


def name_of(path: Path) -> str:
    """What a model or part that lies there is called: the file's name, or its folder's where that says nothing."""
    if path.parent.name == "snapshots":  # of the Hugging Face cache: the folder is named by its commit
        return path.parent.parent.name.removeprefix("models--").rpartition("--")[2]
    name = re.sub(r"(\.safetensors)?\.index\.json$|\.(safetensors|gguf|pth|pt|bin|ckpt)$", "", path.name)
    if not _GENERIC.fullmatch(name.lower()) and name not in _PART_NAMES:
        return name
    folder = path.parent
    while folder.name in _PART_NAMES:
        folder = folder.parent
    return name_of(folder) if folder.name else name
