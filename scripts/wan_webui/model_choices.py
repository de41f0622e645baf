"""Turns the engine's list of models and parts into the choices of the controls that name one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePath
from typing import Any

from wan_webui.film_form import MODEL_FIELDS
from wan_webui.timeline import size_words

Choice = tuple[str, str]
"""What the control shows, and the setting's value."""

_EMPTY = {
    "i2v_model": "The model above, if it can",
    "flf2v_model": "The model above, if it can",
    "vace_model": "The model above, if it can",
    "vace_module": "None",
}
_NEAREST = "The nearest that fits"
_EXPERTS = ("transformer", "transformer_2")


def model_label(model: Mapping[str, Any]) -> str:
    """How a list names a model: `Wan2.2-TI2V-5B (T2V, I2V; Wan 2.2 TI2V 5B, bf16, 34.2 GB)`."""
    can = ", ".join(str(mode).upper() for mode in model["modes"])
    family = str(model.get("family") or "")
    what = [family if family != model["name"] else "", str(model.get("precision") or "")]
    size = int(model.get("size_bytes") or 0)
    figures = [*what, size_words(size) if size else ""]
    words = [can, ", ".join(figure for figure in figures if figure), "incomplete" if model.get("missing") else ""]
    inner = "; ".join(word for word in words if word)
    return f"{model['name']} ({inner})" if inner else str(model["name"])


def labelled(found: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The models and parts, each with its `label`; two of the same name and figures are told apart by their paths."""
    labels = _told_apart((model_label(each), str(each["path"])) for each in found)
    return [{**each, "label": label} for each, (label, _) in zip(found, labels, strict=True)]


def _told_apart(choices: Iterable[Choice]) -> list[Choice]:
    choices = list(choices)
    times = Counter(name for name, _ in choices)
    return [(name if times[name] == 1 else f"{name}: {path}", path) for name, path in choices]


def model_choices(found: Sequence[Mapping[str, Any]]) -> dict[str, list[Choice]]:
    """The choices of each control in `MODEL_FIELDS`, from the answer of GET /models with its labels.

    An incomplete model can be chosen, for another setting may name what it lacks; a damaged one cannot.
    """
    models = [each for each in found if each.get("kind", "model") == "model"]
    whole = [(str(each["label"]), str(each["path"])) for each in models if not each["error"] or each.get("missing")]
    named = [choice for choice in whole if choice[1]]
    made = {name: [(_EMPTY.get(name, _NEAREST), ""), *_parts(found, name)] for name in MODEL_FIELDS}
    made |= {name: [(_EMPTY[name], ""), *named] for name in ("i2v_model", "flf2v_model", "vace_model")}
    made["transformer_2"] += _expert_files(models)
    return {**made, "model": whole}


def _parts(found: Sequence[Mapping[str, Any]], kind: str) -> list[Choice]:
    """The parts of a kind, which settings are named like, but for those of whole models."""
    return [(str(each["label"]), str(each["path"])) for each in found if each.get("kind") == kind and not each["error"]]


def _expert_files(models: Sequence[Mapping[str, Any]]) -> list[Choice]:
    """The transformers of models of single files that are, or may be, one of two experts."""
    two = [model for model in models if "A14B" in str(model.get("family")) and model.get("parts")]
    paths = {str(model["parts"][name]) for model in two for name in _EXPERTS if name in model["parts"]}
    return _told_apart((PurePath(path).name, path) for path in sorted(paths))
