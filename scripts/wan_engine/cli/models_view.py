"""Shows the models that are there as a table, with what is missing beneath."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from wan_engine.cli.screen import Screen, one_line, size_words
from wan_engine.words import counted

if TYPE_CHECKING:
    from wan_engine.models.listing import ListedModel

WIDTH = 100
"""Columns of the table where no terminal says how many there are."""

_KIND_WORDS = {
    "vae": "VAE",
    "text_encoder": "text encoder",
    "image_encoder": "image encoder",
    "vace_module": "VACE module",
    "lora": "LoRA",
}
_PART_WORDS = {"transformer_2": "two experts", "vace": "VACE blocks"}


def show_models(screen: Screen, found: Sequence[ListedModel]) -> None:
    """A table of models and one of parts; then each problem in full. LoRAs are counted."""
    models = [each for each in found if each.kind == "model"]
    parts = [each for each in found if each.kind in _KIND_WORDS and each.kind != "lora"]
    loras = sum(each.kind == "lora" for each in found)
    _table(screen, ("model", "family", "precision", "size", "state"), [_row(each) for each in models])
    if parts:
        rows = [
            (one_line(each.name), _KIND_WORDS[each.kind], each.precision, size_words(each.size_bytes), _state(each))
            for each in parts
        ]
        screen.line(screen.out, "")
        _table(screen, ("part", "what it is", "precision", "size", "state"), rows)
    if loras:
        screen.line(screen.out, f"\n{counted(loras, 'LoRA')}")
    for each in found:
        _say(screen, each)


def _row(model: ListedModel) -> tuple[str, ...]:
    extra = [words for name, words in _PART_WORDS.items() if name in model.parts]
    family = ", ".join((model.family, *extra)) if model.family else ""
    return one_line(model.name), family, model.precision, size_words(model.size_bytes), _state(model)


def _state(model: ListedModel) -> str:
    if model.missing:
        return "incomplete"
    return "damaged" if model.error else "ready"


def _say(screen: Screen, model: ListedModel) -> None:
    """Where it lies, what is amiss, what to do."""
    if model.kind == "lora" or model.embedded:
        return
    screen.line(screen.out, "")
    screen.line(screen.out, f"{one_line(model.name)}: {one_line(model.path)}")
    for component, path in model.parts.items():
        if path != model.path:
            screen.line(screen.out, f"  {component}: {one_line(path)}")
    for words in model.missing or ((model.error,) if model.error else ()):
        screen.line(screen.out, f"  {one_line(words)}", style="red")
    if model.remedy and model.error:
        screen.line(screen.out, f"  {one_line(model.remedy)}")
    for note in model.notes:
        screen.line(screen.out, f"  note: {one_line(note)}")


def _table(screen: Screen, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    table.add_column(heads[0], overflow="fold", max_width=40)
    table.add_column(heads[1], overflow="fold")
    for head in heads[2:]:
        table.add_column(head, no_wrap=True)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    if not screen.out.is_terminal:
        screen.out.width = WIDTH
    screen.out.print(table)
