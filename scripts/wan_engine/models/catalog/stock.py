"""Everything that was found in some places, each told by its header: what models can be put together from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from wan_engine.errors import ModelError
from wan_engine.home import state_home
from wan_engine.models.catalog.cache import part_from, part_text, read_cache, stamp_of, write_cache
from wan_engine.models.catalog.places import Place
from wan_engine.models.catalog.reading import detect_all
from wan_engine.models.catalog.scan import walk
from wan_engine.models.detect import Part
from wan_engine.models.files import read_json


@dataclass(frozen=True)
class Stock:
    """What is there. parts: files, indexes of shards and folders of components, by path; also those with a problem.

    models: folders of the diffusers layout.  tokenizers: folders of T5's tokenizers.
    """

    parts: tuple[Part, ...] = ()
    models: tuple[Path, ...] = ()
    tokenizers: tuple[Path, ...] = ()

    def of_kind(self, kind: str) -> list[Part]:
        """The parts of a kind that can be used."""
        return [part for part in self.parts if part.kind == kind and not part.problem]

    def at(self, path: Path) -> Part | None:
        """The part that lies there."""
        return next((part for part in self.parts if part.path == path), None)


def take_stock(places: Iterable[Place], home: Path | None = None) -> Stock:
    """Look through places. Reads headers only, and those only that changed since the last time.

    home: the state folder with the cache. Nothing that lies in the places makes it fail.
    """
    home = home or state_home()
    found = walk(places)
    parts = _told([*found.weights, *found.components], home)
    tokenizers = tuple(folder for folder in found.tokenizers if _is_t5(folder))
    return Stock(tuple(sorted(parts, key=lambda part: str(part.path))), tuple(found.models), tokenizers)


def _told(paths: Sequence[Path], home: Path) -> list[Part]:
    known = read_cache(home)
    parts: list[Part] = []
    fresh: list[tuple[Path, str]] = []
    for path in paths:
        try:
            stamp = stamp_of(path)
        except (OSError, ModelError):
            stamp = ""  # something is missing: what, the reading says
        remembered = known.get(str(path))
        if remembered and stamp and remembered[0] == stamp:
            try:
                parts.append(part_from(remembered[1]))
                continue
            except (ValueError, KeyError, TypeError, AttributeError):
                pass  # a row of another version: read again
        fresh.append((path, stamp))
    if fresh:
        told = detect_all([path for path, _ in fresh])
        parts += told
        rows = zip(fresh, told, strict=True)
        changed = {str(path): (stamp, part_text(part)) for (path, stamp), part in rows if stamp}
        write_cache(home, changed, map(str, paths), len(known))
    return parts


def _is_t5(folder: Path) -> bool:
    """Whether a tokenizer is T5's: others lie in the same places, such as Stable Diffusion's."""
    try:
        kind = str(read_json(folder / "tokenizer_config.json").get("tokenizer_class", ""))
    except ModelError:
        return False
    return kind.startswith(("T5", "UMT5")) or (folder / "spiece.model").is_file()
