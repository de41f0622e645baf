"""Puts a model together from single files: to a transformer the other expert, VAE, text encoder and what else it needs.

Of several parts that fit, the nearest is taken, then the more precise one; the others are listed. What is missing is
said, with where it could come from. What files cannot tell is left to the user.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wan_engine.errors import ModelError
from wan_engine.families import ModelCard
from wan_engine.models.catalog.experts import Experts, pair
from wan_engine.models.catalog.missing import (
    Missing,
    missing_base,
    missing_image_encoder,
    missing_text_encoder,
    missing_tokenizer,
    missing_vae,
    remedy,
)
from wan_engine.models.catalog.ranking import distance, name_of, ranked
from wan_engine.models.catalog.stock import Stock
from wan_engine.models.component import FOLDER
from wan_engine.models.detect import Part
from wan_engine.models.family import family_of
from wan_engine.models.file_set import FileSet
from wan_engine.models.tokenizer import find_tokenizer

Wishes = Mapping[str, Part]
"""The parts that the user named, by component."""

COMPONENT_WORDS = {
    "transformer": "transformer",
    "transformer_2": "low-noise expert",
    "vace": "VACE module",
    "vae": "VAE",
    "text_encoder": "text encoder",
    "image_encoder": "image encoder",
    "tokenizer": "tokenizer",
}


@dataclass(frozen=True)
class ModelSet:
    """A model made of single files, complete or not.

    path: what it is named by.  parts: what was chosen for each component with weights.  tokenizer: its place.
    missing: what is not there.  others: further files that would do, by component.  notes: what is to be said of it.
    card: what films need, of a complete set.  problem, remedy: why a complete set is no model all the same.
    """

    name: str
    path: Path
    parts: dict[str, Part]
    tokenizer: Path | None = None
    missing: tuple[Missing, ...] = ()
    others: dict[str, tuple[Path, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    card: ModelCard | None = None
    problem: str = ""
    remedy: str = ""

    @property
    def size(self) -> int:
        """Bytes of its weights."""
        return sum({part.path: part.size for part in self.parts.values()}.values())

    def usable(self, setting: str) -> ModelCard:
        """The card of a model that can be used. setting: that names it. Raises ModelError with all that is missing."""
        if self.card is not None:
            return self.card
        if self.problem:
            raise ModelError(f"{setting}: {self.path} cannot be used: {self.problem}", self.remedy)
        lines = ";\n".join(each.words(between="\n    ") for each in self.missing)
        raise ModelError(f"{setting}: {self.path} is not complete:\n{lines}", remedy(self.missing))


def make_set(part: Part, stock: Stock, wishes: Wishes | None = None) -> ModelSet:
    """The model of a transformer, or of a VACE module, with what is in stock. Raises ModelError for a wish that does
    not fit.
    """
    wishes = wishes or {}
    maker = _Maker(part, stock, wishes)
    if part.kind == "vace_module":
        return maker.of_module()
    return maker.of_transformer(part)


def all_sets(stock: Stock) -> list[ModelSet]:
    """Every model that the stock's transformers and VACE modules make, each pair of experts once."""
    transformers = loose_transformers(stock)
    second = {experts.low.path for each in transformers if (experts := pair(each, transformers)).low is not None}
    wanted = [each for each in transformers if each.path not in second]
    return [make_set(part, stock) for part in (*wanted, *stock.of_kind("vace_module"))]


def loose_transformers(stock: Stock) -> list[Part]:
    """The transformers that are no part of a whole folder of the diffusers layout."""
    whole = set(stock.models)
    return [part for part in stock.of_kind("transformer") if part.format != FOLDER or part.path.parent not in whole]


class _Maker:
    """Collects the parts of one set."""

    def __init__(self, named: Part, stock: Stock, wishes: Wishes) -> None:
        self._named = named
        self._stock = stock
        self._wishes = wishes
        self._parts: dict[str, Part] = {}
        self._others: dict[str, tuple[Path, ...]] = {}
        self._missing: list[Missing] = []
        self._notes: list[str] = []

    def of_module(self) -> ModelSet:
        """The set of a VACE module: with the T2V transformer that it fits."""
        bases = [each for each in loose_transformers(self._stock) if _carries(each, self._named)]
        bases = [each for each in ranked(bases, self._named.path) if not each.expert_hint]
        if not bases:
            self._parts["vace"] = self._named
            return self._made(None, (missing_base(self._named.config["dim"]),))
        self._others["transformer"] = tuple(each.path for each in bases[1:])
        self._wishes = {**self._wishes, "vace": self._named}
        return self.of_transformer(bases[0])

    def of_transformer(self, part: Part) -> ModelSet:
        """The set of a transformer."""
        experts = pair(part, loose_transformers(self._stock), self._wishes.get("transformer_2"))
        self._add_experts(experts)
        config = experts.high.config
        module = self._wishes.get("vace")
        if module is not None:
            if not _carries(experts.high, module):
                message = f"vace_module: {module.path} ({module.label}) does not fit {experts.high.path}"
                raise ModelError(message, "Name VACE blocks and a T2V transformer of the same size")
            self._parts["vace"] = module
        channels = 48 if config["out_channels"] == 48 else 16
        self._take("vae", "z_dim", channels, missing_vae(channels))
        self._take("text_encoder", "d_model", config["text_dim"], missing_text_encoder(config["text_dim"]))
        if config["image_dim"] is not None:
            width = config["image_dim"]
            self._take("image_encoder", "hidden_size", width, missing_image_encoder(width))
        tokenizer = self._tokenizer() if "text_encoder" in self._parts else None
        if tokenizer is None and "text_encoder" in self._parts:
            self._missing.append(missing_tokenizer())
        return self._made(tokenizer, tuple(self._missing))

    def _add_experts(self, experts: Experts) -> None:
        at = "transformer_2" if experts.missing and experts.missing.component == "transformer" else "transformer"
        self._parts[at] = experts.high
        if experts.low is not None:
            self._parts["transformer_2"] = experts.low
        if experts.missing is not None:
            self._missing.append(experts.missing)
        if experts.others:
            self._others["transformer_2"] = tuple(part.path for part in experts.others)
        self._notes += experts.notes

    def _take(self, component: str, figure: str, wanted: int, missing: Missing) -> None:
        """Choose a part of this kind whose `figure` in the config is as `wanted`."""
        named = self._wishes.get(component)
        if named is not None:
            if named.config.get(figure) != wanted:
                message = f"{component}: {named.path} ({named.label}) does not fit {self._named.path}"
                raise ModelError(message, f"It takes {missing.what}")
            self._parts[component] = named
            return
        able = [part for part in self._stock.of_kind(component) if part.config.get(figure) == wanted]
        able = ranked(able, self._named.path)
        if able:
            self._parts[component] = able[0]
            self._others[component] = tuple(part.path for part in able[1:])
        else:
            self._missing.append(missing)

    def _tokenizer(self) -> Path | None:
        """The one in the text encoder's file, else the one near it, else the nearest one there is."""
        encoder = self._parts["text_encoder"]
        if encoder.has_tokenizer:
            return encoder.path
        near = find_tokenizer(encoder.path)
        if near is not None:
            return near
        others = sorted(self._stock.tokenizers, key=lambda place: (distance(place, encoder.path), str(place)))
        return others[0] if others else None

    def _made(self, tokenizer: Path | None, missing: tuple[Missing, ...]) -> ModelSet:
        named = self._named
        values: dict[str, Any] = {
            "name": name_of(named.path),
            "path": named.path,
            "parts": self._parts,
            "tokenizer": tokenizer,
            "missing": missing,
            "others": self._others,
            "notes": tuple(self._notes),
        }
        if missing or tokenizer is None:
            return ModelSet(**values)
        try:
            card = card_of(ModelSet(**values))
        except ModelError as error:
            return ModelSet(**values, problem=error.message, remedy=error.remedy)
        return ModelSet(**values, card=card)


def card_of(made: ModelSet) -> ModelCard:
    """The card of a complete set. Raises ModelError when its parts are no model the engine knows."""
    assert made.tokenizer is not None
    components = {name: part.path for name, part in made.parts.items()} | {"tokenizer": made.tokenizer}
    family, modes = family_of(FileSet(made.path, components, made.parts))
    files = tuple((name, str(path)) for name, path in components.items())
    return ModelCard(made.name, family, frozenset(modes), str(made.path), made.size, files=files, notes=_said(made))


def _said(made: ModelSet) -> tuple[str, ...]:
    """What a film is told of the set: what was chosen, for another choice would make another film."""
    chosen = [
        f"{COMPONENT_WORDS[name]} {part.path} ({part.precision})"
        for name, part in made.parts.items()
        if part.path != made.path
    ]
    return (f"{made.name}: {', '.join(chosen)}", *made.notes)


def _carries(transformer: Part, module: Part) -> bool:
    """Whether these VACE blocks can be put on this transformer."""
    config = transformer.config
    dim = config["num_attention_heads"] * config["attention_head_dim"]
    same = (dim, config.get("ffn_dim")) == (module.config["dim"], module.config["ffn_dim"])
    return same and config["in_channels"] == 16 and "vace_layers" not in config
