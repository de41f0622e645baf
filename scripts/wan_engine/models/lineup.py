"""Chooses the models of a film from what its settings name: one that can do each mode."""

from __future__ import annotations

from pathlib import Path

from wan_engine.errors import CapabilityError
from wan_engine.families import MODE_WORDS, MODES, Lineup, Mode, ModelCard
from wan_engine.models.folder import find_models
from wan_engine.settings import Settings


def lineup(settings: Settings, embedded: Path) -> Lineup:
    """The models of a film: of `model` the first that can do a mode; `i2v_model` and `flf2v_model` win for theirs.

    embedded: folder of the embedded small model, taken when no model is set. Raises ModelError for a folder that cannot
    be used, CapabilityError for an explicit model that cannot do what it is set for.
    """
    cards: dict[Mode, ModelCard] = {}
    found = find_models(Path(settings.model).expanduser() if settings.model else embedded)
    for mode in MODES:
        able = [card for card in found if mode in card.modes]
        if able:
            cards[mode] = able[0]
    explicit: tuple[tuple[Mode, str], ...] = (("i2v", settings.i2v_model), ("flf2v", settings.flf2v_model))
    for mode, path in explicit:
        if not path:
            continue
        found = find_models(Path(path).expanduser())
        able = [card for card in found if mode in card.modes]
        if not able:
            words = Lineup({can: card for card in found for can in card.modes}).words()
            message = f"{mode}_model: {path} cannot do {MODE_WORDS[mode]}; it can do {words}"
            raise CapabilityError(message, f"Set {mode}_model to a model that can, or leave it out")
        cards[mode] = able[0]
    return Lineup(cards)
