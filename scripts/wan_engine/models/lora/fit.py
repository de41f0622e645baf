"""Which parts of a LoRA change a given model, which are left out, and why it cannot be used at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

from wan_engine.errors import ModelError
from wan_engine.models.lora.layout import Addition, LoraFile, LowRank
from wan_engine.models.lora.shapes import Shape
from wan_engine.words import counted

_SHOWN = 3


@dataclass(frozen=True)
class Fit:
    """The parts of a LoRA that one transformer has. left_out: the file's names of the modules that it has not."""

    lora: LoraFile
    low_rank: tuple[LowRank, ...]
    additions: tuple[Addition, ...]
    left_out: tuple[str, ...]

    @property
    def modules(self) -> int:
        """How many modules are changed."""
        owners = {addition.parameter.rpartition(".")[0] for addition in self.additions}
        return len(owners | {entry.module for entry in self.low_rank})

    def words(self) -> str:
        """What is changed and what is left out: `300 modules; left out: 80 that this model has not (...)`."""
        changed = counted(self.modules, "module")
        if not self.left_out:
            return changed
        shown = ", ".join(self.left_out[:_SHOWN]) + (", ..." if len(self.left_out) > _SHOWN else "")
        return f"{changed}; left out: {len(self.left_out)} that this model has not ({shown})"


def fit(lora: LoraFile, shapes: Mapping[str, Shape], model: str) -> Fit:
    """Match a LoRA with a transformer's parameters.

    shapes: by parameter name, as from `transformer_shapes`.  model: what it is called, for errors.
    A part of another shape is left out where models of one size differ (the patches of T2V and I2V), else it is an
    error. Raises ModelError for that, and when nothing is changed at all.
    """
    left_out = dict.fromkeys(lora.foreign)
    low_rank, additions = [], []
    for entry in lora.low_rank:
        weight = shapes.get(f"{entry.module}.weight")
        if weight is not None and _fits(entry, weight):
            low_rank.append(entry)
            continue
        _refuse_in_block(lora, entry.module, entry.name, (entry.up.shape[0], *entry.down.shape[1:]), weight, model)
        left_out[entry.name] = None
    for addition in lora.additions:
        shape = shapes.get(addition.parameter)
        if shape is not None and prod(addition.stored.shape) == prod(shape):
            additions.append(addition)
            continue
        _refuse_in_block(lora, addition.parameter, addition.name, addition.stored.shape, shape, model)
        left_out[addition.name] = None
    found = Fit(lora, tuple(low_rank), tuple(additions), tuple(left_out))
    if not found.modules:
        names = ", ".join(found.left_out[:_SHOWN])
        message = f"{lora.path} changes nothing in {model}, which has none of its {len(found.left_out)} modules"
        raise ModelError(f"{message} ({names})", "Use a LoRA that was trained for this model")
    return found


def _fits(entry: LowRank, weight: Shape) -> bool:
    """Whether up @ down has as many rows and columns as the weight; convolutions may be stored flat."""
    into = prod(entry.down.shape[1:]) == prod(weight[1:])
    return into and entry.up.shape[0] == weight[0] and prod(entry.up.shape[2:]) == 1


def _refuse_in_block(lora: LoraFile, ours: str, name: str, shape: Shape, wanted: Shape | None, model: str) -> None:
    if wanted is None or not ours.startswith(("blocks.", "vace_blocks.")):
        return
    has, takes = ("x".join(str(size) for size in sizes) for sizes in (shape, wanted))
    message = f"{lora.path} was made for a model of another size: {name} is {has}, in {model} it is {takes}"
    raise ModelError(message, "Use a LoRA that was trained for this model")
