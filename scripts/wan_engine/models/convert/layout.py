"""What a layout is: the names under which a file keeps a network's tensors, and the way from them to our network's."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from wan_engine.models.configs import (
    OddFiguresError,
    Shapes,
    clip_config,
    transformer_config,
    umt5_config,
    vace_module_config,
    vae_config,
)

Kind = Literal["transformer", "text_encoder", "vae", "image_encoder", "lora", "vace_module", "other"]
Shape = tuple[int, ...]


@dataclass(frozen=True)
class Source:
    """Where a tensor of ours comes from: the piece-th of `pieces` equal parts of a file's tensor, by its rows."""

    name: str
    piece: int = 0
    pieces: int = 1


@dataclass(frozen=True)
class Layout(ABC):
    """One way of naming a network's tensors.

    name: our word for it.  label: for people.  prefixes: what may stand before all names; "" for nothing.
    signs: names that together are found in this layout alone.
    landmarks: names of the tensors whose shapes tell the config, by what they are for.
    optional: landmarks that only some variants have.  blocks: names before a block's number, main blocks first.
    unused: beginnings of names that belong to parts of the network we do not run.
    """

    name: str
    label: str
    kind: Kind
    prefixes: tuple[str, ...]
    signs: tuple[str, ...]
    landmarks: Mapping[str, str]
    optional: tuple[str, ...] = ()
    blocks: tuple[str, ...] = ("blocks.",)
    unused: tuple[str, ...] = ()

    def prefix(self, names: Collection[str]) -> str | None:
        """What stands before the names if they are of this layout, else None."""
        found = (prefix for prefix in self.prefixes if all(prefix + sign in names for sign in self.signs))
        return next(found, None)

    def stripped(self, names: Iterable[str], prefix: str) -> list[str]:
        """The names without their prefix that belong to this network: none of another part, and none unused."""
        within = (name[len(prefix) :] for name in names if name.startswith(prefix))
        return [name for name in within if not name.startswith(self.unused)]

    def missing(self, shapes: Mapping[str, Shape]) -> str:
        """The first tensor that this network cannot do without and that is not there; "" if all are."""
        needed = (name for purpose, name in self.landmarks.items() if purpose not in self.optional)
        return next((name for name in needed if name not in shapes), "")

    def config(self, shapes: Mapping[str, Shape]) -> dict[str, Any]:
        """The network's config from the shapes of its tensors. Raises OddFiguresError."""
        marks = {purpose: shapes[name] for purpose, name in self.landmarks.items() if name in shapes}
        counts = [count_blocks(shapes, start) for start in self.blocks]
        try:
            return _CONFIGS[self.kind](marks, counts)
        except (ValueError, IndexError, KeyError, ZeroDivisionError) as error:
            raise OddFiguresError("its tensors have shapes unlike any Wan model's") from error

    @abstractmethod
    def sources(self, names: Iterable[str]) -> dict[str, Source]:
        """Where each tensor of our network comes from, for the names of `stripped`."""


_CONFIGS: dict[str, Callable[[Shapes, list[int]], dict[str, Any]]] = {
    "transformer": lambda marks, counts: transformer_config(marks, *counts),
    "vace_module": lambda marks, counts: vace_module_config(marks, *counts),
    "vae": lambda marks, _: vae_config(marks, "residual" in marks),
    "text_encoder": lambda marks, counts: umt5_config(marks, *counts),
    "image_encoder": lambda marks, counts: clip_config(marks, *counts),
}


def count_blocks(names: Iterable[str], start: str) -> int:
    """How many numbers from 0 on follow `start` in the names, without a gap."""
    pattern = re.compile(re.escape(start) + r"(\d{1,4})\.")
    numbers = {int(match[1]) for match in map(pattern.match, names) if match}
    return next((number for number in range(len(numbers) + 1) if number not in numbers), 0)


class Renamed(Layout):
    """A layout whose tensors are ours under other names, one for one."""

    def sources(self, names: Iterable[str]) -> dict[str, Source]:
        """As `Layout.sources`."""
        return {self.rename(name): Source(name) for name in names}

    @abstractmethod
    def rename(self, name: str) -> str:
        """Our name of one tensor; a name that is not known stays, and is found unexpected later."""


class SameNames(Renamed):
    """A layout that uses our names."""

    def rename(self, name: str) -> str:
        """The name itself."""
        return name
