"""Says what files and folders are, what they load into, what else they need, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from wan_engine.errors import ModelError
from wan_engine.models.convert.layouts import LAYOUTS
from wan_engine.models.detect import Part, detect_file
from wan_engine.models.files import shards
from wan_engine.models.folder import INDEX, find_models
from wan_engine.models.headers.read import INDEX_ENDING, WEIGHT_ENDINGS
from wan_engine.models.lora.describe import Description, describe_lora
from wan_engine.models.single_file import check_part
from wan_engine.models.tokenizer import WHERE_FROM, find_tokenizer

_LEVELS_DOWN = 3
"""How deep a folder is searched for weight files: deep enough for an official release and for ComfyUI's models."""


@dataclass(frozen=True)
class Finding:
    """What was found about one file, or one model's folder.

    what: in words.  kind: of a `Part`, or `model` for a whole one.  loads_into: a class of diffusers or transformers.
    layout: how the tensors are named.  precision: number format.  size: bytes.
    needs: what a film needs besides.  problem, remedy: "" when it can be loaded.
    """

    path: str
    what: str
    kind: str
    families: tuple[str, ...] = ()
    loads_into: str = ""
    layout: str = ""
    precision: str = ""
    size: int = 0
    expert_hint: str = ""
    needs: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    problem: str = ""
    remedy: str = ""

    def as_dict(self) -> dict[str, Any]:
        """The finding as JSON-able values."""
        return asdict(self)


def check(path: Path) -> Iterator[Finding]:
    """One finding for a file; for a folder one for each model in it, or for each weight file in it and below."""
    if not path.is_dir():
        yield _check_file(path)
        return
    try:
        whole = (path / INDEX).is_file() or any((folder / INDEX).is_file() for folder in path.iterdir())
        files = [] if whole else _weight_files(path)
    except OSError as error:
        words = f"it cannot be searched: {error.strerror} ({error.filename})"
        yield Finding(str(path), "a folder", "other", problem=words, remedy="Check the permissions of the folder")
        return
    if whole:
        yield from _check_models(path)
    elif not files:
        yield Finding(str(path), "a folder", "other", problem="no weight files are in it", remedy=_WANTED)
    yield from map(_check_file, files)


_WANTED = f"Give a file or a folder with files that end in {', '.join(WEIGHT_ENDINGS)}"


def _check_models(path: Path) -> Iterator[Finding]:
    try:
        cards = find_models(path)
    except ModelError as error:
        yield Finding(
            str(path), "a folder in the diffusers layout", "model", problem=error.message, remedy=error.remedy
        )
        return
    for card in cards:
        yield Finding(
            path=card.path,
            what=f"{card.family.label}, a whole model in the diffusers layout",
            kind="model",
            families=(card.family.name,),
            loads_into="WanPipeline" if card.modes == {"t2v"} else "WanImageToVideoPipeline",
            layout="diffusers' folders",
            size=card.weights_bytes,
            notes=("its weights are random, its pictures are noise",) if card.noise else (),
        )


def _weight_files(folder: Path) -> list[Path]:
    """Every index and every weight file that is no shard of one, by name."""
    found = [path for path in _walk(folder, _LEVELS_DOWN) if path.name.endswith((*WEIGHT_ENDINGS, INDEX_ENDING))]
    indexes = [path for path in found if path.name.endswith(".safetensors" + INDEX_ENDING)]
    covered = set()
    for index in indexes:
        try:
            covered |= set(shards(index))
        except ModelError:
            # Said of the index when it is checked; its shards are then looked at one by one.
            continue
    single = [path for path in found if not path.name.endswith(INDEX_ENDING) and path not in covered]
    return sorted([*indexes, *single])


def _walk(folder: Path, levels: int) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.is_dir() and levels and not path.is_symlink() and not path.name.startswith("."):
            yield from _walk(path, levels - 1)
        elif path.is_file():
            yield path


def _check_file(path: Path) -> Finding:
    try:
        part = detect_file(path)
    except ModelError as error:
        return Finding(str(path), "unreadable", "other", problem=error.message, remedy=error.remedy)
    problem, remedy = part.problem, part.remedy
    what = Description(part.label, part.families, part.notes)
    try:
        if part.kind == "lora":
            what = describe_lora(path)
        elif not problem and "_class_name" in part.config:
            check_part(part)
    except ModelError as error:
        problem, remedy = error.message, error.remedy
    prefix = f", after {part.prefix}" if part.prefix else ""
    return Finding(
        path=str(path),
        what=what.what,
        kind=part.kind,
        families=what.families,
        loads_into=part.config.get("_class_name", ""),
        layout=LAYOUTS[part.layout].label + prefix if part.layout else "",
        precision=part.precision,
        size=part.size,
        expert_hint=part.expert_hint,
        needs=_needs(part),
        notes=what.notes,
        problem=problem,
        remedy=remedy,
    )


def _needs(part: Part) -> tuple[str, ...]:
    """What else a film needs besides this part."""
    if part.kind == "vace_module":
        return (f"a T2V transformer of dim {part.config['dim']}",)
    if part.kind == "text_encoder":
        near = find_tokenizer(part.path)
        return () if part.has_tokenizer or near else (f"the tokenizer of google/umt5-xxl: {WHERE_FROM}",)
    if part.kind != "transformer" or not part.config:
        return ()
    wide = part.config["out_channels"] == 48
    needs = ["the Wan 2.2 VAE (48 channels)" if wide else "the Wan 2.1 VAE", "the UMT5-XXL text encoder"]
    if part.config["image_dim"] is not None:
        needs.append("OpenCLIP ViT-H/14 (image encoder)")
    if any("-a14b" in family for family in part.families):
        needs.append("the other expert, if it is one of Wan 2.2's two")
    return tuple(needs)
