"""Chooses the models of a film from what its settings name: one that can do each mode."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from wan_engine.errors import CapabilityError, ModelError
from wan_engine.families import MODE_WORDS, MODES, Lineup, Mode, ModelCard
from wan_engine.models.catalog.pairing import Wishes, all_sets, make_set
from wan_engine.models.catalog.places import Place, places_near, places_of
from wan_engine.models.catalog.ranking import name_of
from wan_engine.models.catalog.stock import Stock, take_stock
from wan_engine.models.component import detect_component
from wan_engine.models.detect import Part
from wan_engine.models.file_set import PART_KINDS
from wan_engine.models.folder import INDEX, find_models, open_folder
from wan_engine.setting_spec import is_model_name, path_lines
from wan_engine.settings import Settings

_WISHES = {
    "vae": "vae",
    "text_encoder": "text_encoder",
    "image_encoder": "image_encoder",
    "transformer_2": "transformer_2",
    "vace": "vace_module",
}
"""Setting that names each component."""
_OF_MODEL = ("transformer_2", "vace")
"""Components that belong to the setting `model` alone; the others may be shared by all models of a film."""


def lineup(settings: Settings, embedded: Path) -> Lineup:
    """The models of a film: of `model` the first that can do a mode; those set for one mode win for theirs.

    embedded: folder of the embedded small model, taken when no model is set. Raises ModelError for what cannot be used
    or is not complete, CapabilityError for an explicit model that cannot do what it is set for.
    """
    search = _Search(settings)
    cards: dict[Mode, ModelCard] = {}
    found = search.models("model", settings.model) if settings.model else embedded_models(embedded)
    for mode in MODES:
        able = [card for card in found if mode in card.modes]
        if able:
            cards[mode] = able[0]
    explicit: dict[Mode, str] = {
        "i2v": settings.i2v_model,
        "flf2v": settings.flf2v_model,
        "vace": settings.vace_model,
    }
    for mode, path in explicit.items():
        if not path:
            continue
        found = search.models(f"{mode}_model", path)
        able = [card for card in found if mode in card.modes]
        if not able:
            words = Lineup({can: card for card in found for can in card.modes}).words()
            message = f"{mode}_model: {path} cannot do {MODE_WORDS[mode]}; it can do {words}"
            raise CapabilityError(message, f"Set {mode}_model to a model that can, or leave it out")
        cards[mode] = able[0]
    return Lineup(cards)


def lineup_notes(models: Lineup) -> tuple[str, ...]:
    """What is to be said of the models: which files were put together."""
    return tuple(dict.fromkeys(note for mode in MODES if models.can(mode) for note in models.card(mode).notes))


def embedded_models(folder: Path) -> list[ModelCard]:
    """The models in the embedded small one's folder, all under its own name: where they lie is nobody's concern."""
    return [replace(card, name=card.family.label) for card in find_models(folder)]


class _Search:
    """Finds the models that settings name. What is on disk is looked through once, and only if a file is named."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._folders = [Path(line).expanduser() for line in path_lines(settings.model_dirs)]

    def models(self, setting: str, value: str) -> list[ModelCard]:
        """What the value of a setting names, ready to be used. Raises ModelError."""
        wishes = self._wishes(setting)
        path = self._by_name(setting, value) if is_model_name(value, Path.cwd()) else Path(value).expanduser()
        if not path.exists():
            raise ModelError(f"{setting}: {path} does not exist", "Check the path of the model")
        if path.is_file():
            return [self._of_file(setting, path, wishes)]
        if _is_whole(path):
            return [_changed(card, wishes) for card in find_models(path)]
        return self._in_folder(setting, path, wishes)

    @cached_property
    def _stock(self) -> Stock:
        """What lies in the folders of models."""
        return take_stock(places_of(self._folders))

    def _around(self, path: Path) -> Stock:
        """What lies near a file, and in the folders of models."""
        return take_stock([*places_near(path, self._folders), *places_of(self._folders)])

    def _wishes(self, setting: str) -> Wishes:
        """The parts that the settings name for this model. Raises ModelError for one that is something else."""
        found = {}
        for component, name in _WISHES.items():
            value = getattr(self._settings, name)
            if not value or (component in _OF_MODEL and setting != "model"):
                continue
            part = self._part_named(name, value) if is_model_name(value, Path.cwd()) else None
            part = part or detect_component(Path(value).expanduser())
            part.check()
            if part.kind != PART_KINDS[component]:
                kind = PART_KINDS[component].replace("_", " ")
                raise ModelError(f"{name}: {part.path} is {part.label}, no {kind}", f"Name a {kind}, or leave it out")
            found[component] = part
        return found

    def _part_named(self, setting: str, name: str) -> Part:
        """A part by the name that `models list` shows."""
        return detect_component(
            _only([part.path for part in self._stock.parts if name_of(part.path) == name], setting, name)
        )

    def _by_name(self, setting: str, name: str) -> Path:
        """Where the model of this name lies."""
        folders = [path for path in self._stock.models if name_of(path) == name]
        return _only([*folders, *(made.path for made in all_sets(self._stock) if made.name == name)], setting, name)

    def _of_file(self, setting: str, path: Path, wishes: Wishes) -> ModelCard:
        part = detect_component(path)
        part.check()
        if part.kind not in ("transformer", "vace_module"):
            raise ModelError(f"{setting}: {path} is {part.label}, no transformer", "Name the file of a transformer")
        return make_set(part, self._around(path), wishes).usable(setting)

    def _in_folder(self, setting: str, path: Path, wishes: Wishes) -> list[ModelCard]:
        """The models that a folder's own transformers make. Raises ModelError when it is not clear which to take."""
        inside = take_stock([Place(path)])
        transformers = inside.of_kind("transformer")
        if not transformers:
            raise ModelError(f"{setting}: {path} holds no {INDEX} and no transformer's file", _WANTED)
        around = self._around(transformers[0].path)
        own = {part.path: part for part in inside.parts}
        sets = [make_set(own[made.path], around, wishes) for made in all_sets(around) if made.path in own]
        cards = [made.usable(setting) for made in sets]
        for mode in MODES:
            able = [card for card in cards if mode in card.modes]
            if len(able) > 1:
                paths = ", ".join(card.path for card in able[:3])
                message = f"{setting}: {path} holds {len(able)} models for {MODE_WORDS[mode]}, such as {paths}"
                raise ModelError(message, "Name the file of the one to be used")
        return cards


_WANTED = "Give a transformer's file, a folder in the diffusers or the official layout, or a folder of such folders"


def _is_whole(path: Path) -> bool:
    """Whether a folder is a model in the diffusers layout, or holds such folders."""
    return (path / INDEX).is_file() or any((inner / INDEX).is_file() for inner in path.iterdir())


def _only(places: Sequence[Path], setting: str, name: str) -> Path:
    if len(places) == 1:
        return places[0]
    if not places:
        message = f'{setting}: there is no model "{name}" in the folders of models'
        raise ModelError(message, "wan-engine models list shows what is there; or give a path")
    listed = ", ".join(map(str, places[:3]))
    raise ModelError(f'{setting}: "{name}" names {len(places)} models: {listed}', "Give the path of one of them")


def _changed(card: ModelCard, wishes: Wishes) -> ModelCard:
    """A folder's model with the parts that the user named in the place of its own."""
    if not wishes:
        return card
    folder = open_folder(Path(card.path))
    own = {name: detect_component(folder.components[name]) for name in PART_KINDS if name in folder.components}
    second = {name: part for name, part in own.items() if name == "transformer_2"}
    stock = Stock(tuple(part for name, part in own.items() if name not in second))
    made = make_set(own["transformer"], stock, {**second, **wishes}).usable("model")
    return replace(made, name=card.name, path=card.path, noise=card.noise)
