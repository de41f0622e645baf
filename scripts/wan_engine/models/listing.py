"""Lists the models that are there: folders in the diffusers layout below some roots, and the embedded small one."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from wan_engine.errors import ModelError
from wan_engine.families import MODES, ModelCard
from wan_engine.models.folder import INDEX, find_models

DEPTH = 3
"""Folders below a root are looked for models so deep."""


@dataclass(frozen=True)
class ListedModel:
    """A model that is there, or the folder of one that cannot be used, with the reason in `error`.

    path: what the setting `model` names it by, "" for the embedded one.  modes: what it can do, in the usual order.
    """

    name: str
    path: str
    family: str = ""
    modes: tuple[str, ...] = ()
    size_bytes: int = 0
    embedded: bool = False
    error: str = ""


def list_models(roots: Sequence[Path], embedded: Path) -> list[ListedModel]:
    """Every model below the roots by path, each once, after the embedded one."""
    folders = dict.fromkeys(folder for root in roots for folder in _folders(root))
    return [_embedded(find_models(embedded)), *(_listed(folder) for folder in sorted(folders))]


def _folders(root: Path, depth: int = 0) -> Iterator[Path]:
    """The folders with a model's index, not below one another."""
    if (root / INDEX).is_file():
        yield root
        return
    if depth >= DEPTH:
        return
    try:
        inner = [Path(entry.path) for entry in os.scandir(root) if entry.is_dir()]
    except OSError:
        return  # not there, or not ours to read: nothing in it can be used either
    for folder in inner:
        yield from _folders(folder, depth + 1)


def _listed(folder: Path) -> ListedModel:
    try:
        (card,) = find_models(folder)
    except ModelError as error:
        return ListedModel(folder.name, str(folder), error=str(error))
    modes = tuple(mode for mode in MODES if mode in card.modes)
    return ListedModel(folder.name, str(folder), card.family.label, modes, card.weights_bytes)


def _embedded(cards: list[ModelCard]) -> ListedModel:
    modes = tuple(mode for mode in MODES if any(mode in card.modes for card in cards))
    size = sum(card.weights_bytes for card in cards)
    return ListedModel(cards[0].family.label, "", cards[0].family.label, modes, size, embedded=True)
