"""Lists the models that are there, whole or not, and the parts that models can be made of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from wan_engine.errors import ModelError
from wan_engine.families import FAMILIES, MODES, ModelCard
from wan_engine.models.catalog.missing import remedy
from wan_engine.models.catalog.pairing import ModelSet, all_sets
from wan_engine.models.catalog.places import places_of
from wan_engine.models.catalog.ranking import name_of
from wan_engine.models.catalog.reading import UNREADABLE
from wan_engine.models.catalog.stock import Stock, take_stock
from wan_engine.models.component import detect_folder
from wan_engine.models.detect import Part
from wan_engine.models.folder import find_models, open_folder
from wan_engine.models.source import WITH_WEIGHTS

MODEL = "model"
"""Kind of what a film can be made with; other kinds are those of `Part`."""

_LOOSE = ("vae", "text_encoder", "image_encoder", "vace_module", "lora")
_RELATIVES = "Wan"
"""Begins the label of a model that the engine knows but cannot run."""


@dataclass(frozen=True)
class ListedModel:
    """A model or part that is there.

    path: what settings name it by, "" for the embedded one.  kind: `model`, or which part it is.
    family: in words.  modes: what it can do, in the usual order.  precision: number format of the transformer.
    parts: path by component, of a model.  missing: what it lacks, each with where it could come from.
    notes: what is to be known.  error, remedy: why it cannot be used, and what to do; "" when it can.
    """

    name: str
    path: str
    family: str = ""
    modes: tuple[str, ...] = ()
    size_bytes: int = 0
    embedded: bool = False
    error: str = ""
    kind: str = MODEL
    precision: str = ""
    parts: dict[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    remedy: str = ""


def list_models(folders: Sequence[Path], embedded: Path, home: Path | None = None) -> list[ListedModel]:
    """The embedded model, then what lies in the folders and in the usual places: models by path, then parts by path.

    Models of other programs, such as Stable Diffusion's, are left out.  home: the state folder, else the usual one.
    """
    stock = take_stock(places_of(folders, home), home)
    whole = [_folder(path, stock) for path in stock.models]
    made = [_set(each) for each in all_sets(stock)]
    models = sorted([*whole, *made], key=lambda model: model.path)
    return [_embedded(find_models(embedded)), *models, *_parts(stock)]


def _embedded(cards: list[ModelCard]) -> ListedModel:
    size = sum(card.weights_bytes for card in cards)
    modes = _in_order({mode for card in cards for mode in card.modes})
    label = cards[0].family.label
    precision = detect_folder(open_folder(Path(cards[0].path)).components["transformer"]).precision
    return ListedModel(label, "", label, modes, size, embedded=True, precision=precision)


def _in_order(modes: frozenset[str] | set[str]) -> tuple[str, ...]:
    return tuple(mode for mode in MODES if mode in modes)


def _folder(path: Path, stock: Stock) -> ListedModel:
    """A folder of the diffusers layout."""
    try:
        (card,) = find_models(path)
        components = open_folder(path).components
    except ModelError as error:
        return ListedModel(name_of(path), str(path), error=error.message, remedy=error.remedy)
    transformer = stock.at(components["transformer"])
    return ListedModel(
        name=name_of(path),
        path=str(path),
        family=card.family.label,
        modes=_in_order(card.modes),
        size_bytes=card.weights_bytes,
        precision=transformer.precision if transformer else "",
        parts={name: str(place) for name, place in components.items() if name in WITH_WEIGHTS},
        notes=("its weights are random, its pictures are noise",) if card.noise else (),
    )


def _set(made: ModelSet) -> ListedModel:
    """A model made of single files, complete or not."""
    card = made.card
    first = made.parts.get("transformer") or next(iter(made.parts.values()))
    missing = tuple(each.words() for each in made.missing)
    return ListedModel(
        name=made.name,
        path=str(made.path),
        family=card.family.label if card else _family_words(made, first),
        modes=_in_order(card.modes) if card else (),
        size_bytes=made.size,
        error=made.problem or "; ".join(missing),
        precision=first.precision,
        parts={name: str(part.path) for name, part in made.parts.items()},
        missing=missing,
        notes=made.notes,
        remedy=made.remedy or (remedy(made.missing) if missing else ""),
    )


def _family_words(made: ModelSet, part: Part) -> str:
    """What an incomplete model would be."""
    lacks_expert = any(each.component in ("transformer", "transformer_2") for each in made.missing)
    two = lacks_expert or "transformer_2" in made.parts
    names = [name for name in part.families if ("a14b" in name) == two and name in FAMILIES]
    return FAMILIES[names[0]].label if names else part.label


def _parts(stock: Stock) -> Iterator[ListedModel]:
    """What is no model by itself, and files that cannot be used."""
    whole = set(stock.models)
    for part in stock.parts:
        if part.path.parent in whole:
            continue
        ours = part.kind in _LOOSE or (part.kind == "transformer" and part.problem)
        relative = part.kind == "other" and part.label.startswith(_RELATIVES)
        if ours or relative or part.label == UNREADABLE:
            yield ListedModel(
                name=name_of(part.path),
                path=str(part.path),
                family="" if part.label == UNREADABLE else part.label,
                size_bytes=part.size,
                error=part.problem,
                kind=part.kind,
                precision=part.precision,
                notes=part.notes,
                remedy=part.remedy,
            )
