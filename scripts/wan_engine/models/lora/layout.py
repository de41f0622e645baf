"""Reads what a LoRA file holds, whatever its layout: low-rank changes of modules and plain additions to parameters.

Only the header is read here. Layouts that go: `lora_A/lora_B` and `lora_down/lora_up`, with or without `.alpha` and an
adapter's name, `.diff`, `.diff_b` and `.diff_m`, under any of the names of `names`. Others are refused by name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import sqrt
from pathlib import Path
from typing import Any

from wan_engine.errors import ModelError
from wan_engine.models.files import read_json
from wan_engine.models.headers.header import DOWNLOAD_AGAIN
from wan_engine.models.headers.safetensors_file import read_safetensors
from wan_engine.models.lora.names import (
    MODULATION,
    diffusers_name,
    is_second_expert,
    is_text_encoder,
    modulation_name,
)
from wan_engine.models.lora.shapes import Shape

SUFFIX = ".safetensors"
_PLAIN = "Use a plain LoRA, or convert this one to a plain LoRA"

_LOW_RANK = re.compile(r"(.+)\.(lora_A|lora_B|lora_down|lora_up|lora\.down|lora\.up)(?:\.[\w-]+)?\.(weight|bias)")
_OTHER = re.compile(r"(.+)\.(alpha|diff|diff_b|diff_m)")
_REFUSED = {
    "DoRA": re.compile(r"\.(dora_scale|lora_magnitude_vector)\b"),
    "LoKr": re.compile(r"\.lokr_"),
    "LoHa": re.compile(r"\.hada_"),
    "OFT": re.compile(r"\.b?oft_"),
    "LoCon with a middle matrix": re.compile(r"\.lora_mid\b"),
}
_DOWN = ("lora_A", "lora_down", "lora.down")

_METADATA_KEY = "lora_adapter_metadata"
"""Under this name diffusers writes the training's LoraConfig into the header."""
_PEFT_NAMES = ("adapter_model.safetensors", "adapter_config.json")
"""PEFT's own pair of files: weights and LoraConfig."""


@dataclass(frozen=True)
class Stored:
    """A tensor in the file: its key and shape."""

    key: str
    shape: Shape


@dataclass(frozen=True)
class LowRank:
    """A module whose weight changes by scale * up @ down.

    module: its diffusers name.  name: the file's own.  alpha: key of the number that gives the scale, "" if none.
    bias: key of what is added to the result of `up`, "" if none.
    """

    module: str
    name: str
    down: Stored
    up: Stored
    alpha: str = ""
    bias: str = ""

    @property
    def rank(self) -> int:
        """Rows of `down` and columns of `up`."""
        return self.down.shape[0]


@dataclass(frozen=True)
class Addition:
    """A parameter to which a tensor of the file is added. parameter: its diffusers name.  name: the file's own."""

    parameter: str
    name: str
    stored: Stored


@dataclass(frozen=True)
class LoraFile:
    """A LoRA as its header tells it.

    foreign: the file's names of modules that no Wan transformer has, such as those of text encoders.
    training: the LoraConfig it was trained with, if the file has one.
    """

    path: Path
    low_rank: tuple[LowRank, ...]
    additions: tuple[Addition, ...]
    foreign: tuple[str, ...] = ()
    training: Mapping[str, Any] = field(default_factory=dict)

    def scale(self, entry: LowRank, alpha: float | None) -> float:
        """The factor of up @ down at weight 1: alpha / rank, where alpha is the rank if nothing says another.

        alpha: the value of the file's own alpha tensor. A LoraConfig with use_rslora divides by the root of the rank
        (Kalajdzievski 2023, arXiv 2312.03732).
        """
        if alpha is not None:
            return alpha / entry.rank
        named = next((value for name, value in self._alphas() if _ends_with(entry.name, name)), None)
        trained = self.training.get("lora_alpha") if named is None else named
        if not isinstance(trained, int | float) or isinstance(trained, bool):
            return 1.0
        return trained / (sqrt(entry.rank) if self.training.get("use_rslora") else entry.rank)

    def _alphas(self) -> Iterable[tuple[str, Any]]:
        patterns = self.training.get("alpha_pattern")
        return patterns.items() if isinstance(patterns, dict) else ()


def _ends_with(name: str, ending: str) -> bool:
    return name == ending or name.endswith(f".{ending}")


def open_lora(path: Path) -> LoraFile:
    """The LoRA in a safetensors file. Raises ModelError if it is damaged, no LoRA, or of a kind that cannot be used."""
    if path.suffix.lower() != SUFFIX:
        raise ModelError(f"{path} is no safetensors file", "LoRAs are loaded from safetensors files only")
    reader = _Reader(path)
    for key, tensor in read_safetensors(path).tensors.items():
        reader.add(key, tensor.shape)
    return reader.file(_training(path))


def _training(path: Path) -> dict[str, Any]:
    """The LoraConfig of diffusers' metadata or of PEFT's second file; empty if there is none."""
    from safetensors import SafetensorError, safe_open

    weights, config = _PEFT_NAMES
    if path.name == weights and path.with_name(config).is_file():
        return read_json(path.with_name(config))
    try:
        with safe_open(path, framework="numpy") as file:
            values = json.loads((file.metadata() or {}).get(_METADATA_KEY, "{}"))
    except (OSError, SafetensorError, ValueError, RecursionError) as error:
        raise ModelError(f"{path} has damaged metadata: {error}", DOWNLOAD_AGAIN) from error
    if not isinstance(values, dict):
        raise ModelError(f"{path} has damaged metadata", DOWNLOAD_AGAIN)
    return {name.removeprefix("transformer."): value for name, value in values.items()}


class _Reader:
    """Sorts the keys of one file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._parts: dict[str, dict[str, Stored]] = {}
        self._names: dict[str, str] = {}
        self._additions: dict[str, Addition] = {}
        self._foreign: dict[str, None] = {}
        self._unknown: list[str] = []

    def add(self, key: str, shape: Shape) -> None:
        """Take one tensor. Raises ModelError for one that says that this file cannot be used."""
        for kind, pattern in _REFUSED.items():
            if pattern.search(key):
                message = f"{self._path} is not a plain LoRA but {kind}, which cannot be applied (it holds {key})"
                raise ModelError(message, _PLAIN)
        if found := _LOW_RANK.fullmatch(key):
            name, side, part = found.groups()
            self._put(name, "down" if side in _DOWN else "up" if part == "weight" else "bias", Stored(key, shape))
        elif found := _OTHER.fullmatch(key):
            name, part = found.groups()
            if part == "alpha":
                self._put(name, part, Stored(key, shape))
            else:
                self._add(name, part, Stored(key, shape))
        else:
            self._unknown.append(key)

    def _put(self, name: str, part: str, stored: Stored) -> None:
        if is_second_expert(name):
            message = f"{self._path} holds LoRAs of both experts ({name})"
            raise ModelError(message, "Split it into one file for each expert")
        module = "" if is_text_encoder(name) else diffusers_name(name)
        if not module:
            self._foreign[name] = None
            return
        parts = self._parts.setdefault(module, {})
        if part in parts:
            message = f"{self._path} holds two LoRAs: {parts[part].key} and {stored.key} change the same module"
            raise ModelError(message, "Split it into one file for each")
        parts[part] = stored
        self._names[module] = name

    def _add(self, name: str, part: str, stored: Stored) -> None:
        owner = modulation_name(name) if part == "diff_m" else diffusers_name(name)
        if not owner or is_text_encoder(name):
            self._foreign[name] = None
            return
        itself = owner.endswith((MODULATION, "pos_embed"))
        parameter = owner if itself else f"{owner}.bias" if part == "diff_b" else f"{owner}.weight"
        if parameter in self._additions:
            message = f"{self._path} adds twice to one parameter: {self._additions[parameter].stored.key}, {stored.key}"
            raise ModelError(message, DOWNLOAD_AGAIN)
        self._additions[parameter] = Addition(parameter, name, stored)

    def file(self, training: Mapping[str, Any]) -> LoraFile:
        """What was found. Raises ModelError when it is no LoRA, or not one for Wan."""
        known = bool(self._parts or self._additions)
        if self._unknown and not known and not self._foreign:
            message = f"{self._path} is no LoRA: it holds {self._unknown[0]}"
            raise ModelError(message, "Models are set as model; LoRAs have lora_A and lora_B or lora_down and lora_up")
        if self._unknown:
            message = f"{self._path} is of a layout that is not known: it holds {self._unknown[0]}"
            raise ModelError(message, _PLAIN)
        if not known:
            first = next(iter(self._foreign), "nothing")
            message = f"{self._path} is no LoRA for a Wan transformer: it changes {first}"
            raise ModelError(message, "Use a LoRA that was trained for Wan 2.1 or 2.2")
        low_rank = [self._low_rank(module, parts) for module, parts in self._parts.items() if set(parts) != {"alpha"}]
        return LoraFile(
            self._path, tuple(low_rank), tuple(self._additions.values()), tuple(self._foreign), dict(training)
        )

    def _low_rank(self, module: str, parts: dict[str, Stored]) -> LowRank:
        down, up = parts.get("down"), parts.get("up")
        if down is None or up is None:
            found = next(iter(parts.values())).key
            raise ModelError(f"{self._path} has {found} without its counterpart", DOWNLOAD_AGAIN)
        if len(down.shape) < 2 or len(up.shape) < 2 or down.shape[0] != up.shape[1] or not down.shape[0]:
            raise ModelError(f"{self._path}: {down.key} and {up.key} do not fit each other", DOWNLOAD_AGAIN)
        alpha, bias = (parts[part].key if part in parts else "" for part in ("alpha", "bias"))
        return LowRank(module, self._names[module], down, up, alpha, bias)
