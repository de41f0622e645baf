"""Checks the LoRAs of a plan against the models that will use them, before anything is loaded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from wan_engine.families import Lineup, ModelCard
from wan_engine.models.lora.fit import fit
from wan_engine.models.lora.layout import open_lora
from wan_engine.models.lora.shapes import Shape, transformer_shapes
from wan_engine.models.model_set import open_model
from wan_engine.plan.model import Plan

_CHANGED_BY = {"transformer": ("high", "both"), "transformer_2": ("low", "both")}
"""The experts of a LoRA that change each transformer of a model with two."""


def changes(part: str, expert: str, two_experts: bool) -> bool:
    """Whether a LoRA for `expert` changes this part of a model, `transformer` or `transformer_2`."""
    return not two_experts or expert in _CHANGED_BY[part]


def lora_notes(plan: Plan, lineup: Lineup) -> Iterator[str]:
    """What each LoRA changes in each model it is used with, and what of it is left out.

    Only headers and configs are read. Raises ModelError for a LoRA that is damaged, of an unknown layout, or changes
    nothing in the model.
    """
    cards = {mode: lineup.card(mode) for mode in {clip.mode for clip in plan.calls}}
    used = dict.fromkeys((lora.path, lora.name, lora.expert, clip.mode) for clip in plan.calls for lora in clip.loras)
    notes = [_note(Path(path), name, expert, cards[mode]) for path, name, expert, mode in used]
    yield from dict.fromkeys(notes)


def _note(path: Path, name: str, expert: str, card: ModelCard) -> str:
    lora, transformers = open_lora(path), _transformers(card)
    two = len(transformers) > 1
    words = [
        fit(lora, shapes, card.name).words() for part, shapes in transformers.items() if changes(part, expert, two)
    ]
    where = ""
    if expert != "both":
        where = f", the expert for {expert} noise alone"
        if not two:
            where = f", though it is meant for an expert for {expert} noise, which this model has not"
    return f'LoRA "{name}" changes {card.name}{where}: {", then ".join(dict.fromkeys(words))}'


def _transformers(card: ModelCard) -> dict[str, dict[str, Shape]]:
    """The parameters of each of the model's transformers."""
    source = open_model(card)
    parts = [part for part in _CHANGED_BY if part in source.components]
    return {part: transformer_shapes(source.config(part), str(source.config_file(part))) for part in parts}
