"""Says of a LoRA file by itself which published models it changes, and how much of it each of them takes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from wan_engine.errors import ModelError
from wan_engine.models.configs import VARIANTS, published_config
from wan_engine.models.lora.fit import fit
from wan_engine.models.lora.layout import LoraFile, open_lora
from wan_engine.models.lora.shapes import transformer_shapes
from wan_engine.words import counted


@dataclass(frozen=True)
class Description:
    """What a LoRA is. what: in words.  families: those that take all of it, or the most.  notes: more in words."""

    what: str
    families: tuple[str, ...]
    notes: tuple[str, ...]


def describe_lora(path: Path) -> Description:
    """What a LoRA file changes. Only its header is read. Raises ModelError for one that cannot be used."""
    lora = open_lora(path)
    fits = []
    for variant in VARIANTS:
        try:
            fits.append((variant, fit(lora, transformer_shapes(published_config(variant)), variant.label)))
        except ModelError:
            continue  # it is of another size, or has none of what is changed
    if not fits:
        return Description("a LoRA", (), ("it fits none of the published Wan models in size", _figures(lora)))
    least = min(len(found.left_out) for _, found in fits)
    best = [(variant, found) for variant, found in fits if len(found.left_out) == least]
    models = ", ".join(variant.label for variant, _ in best)
    changed = f"changes {best[0][1].words()} of: {models}" if least else f"all of it fits: {models}"
    return Description("a LoRA for Wan", tuple(variant.family for variant, _ in best), (changed, _figures(lora)))


def _figures(lora: LoraFile) -> str:
    """How many modules it changes, and its rank."""
    ranks = sorted({entry.rank for entry in lora.low_rank})
    modules = len(
        {entry.module for entry in lora.low_rank} | {each.parameter.rpartition(".")[0] for each in lora.additions}
    )
    rank = f", rank {ranks[0]}" if len(ranks) == 1 else f", ranks {ranks[0]} to {ranks[-1]}" if ranks else ""
    return f"{counted(modules, 'module')}{rank}"
