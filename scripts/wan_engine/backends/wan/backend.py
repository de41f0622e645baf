"""Renders clips with the models of a line-up: chooses device and precision, loads what is needed, starts runs."""

from __future__ import annotations

import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

from wan_engine.backends import Backend, ClipRequest, RunState
from wan_engine.backends.wan.conditions import Texts, make_conditions
from wan_engine.backends.wan.guard import guarded
from wan_engine.backends.wan.loras import ClipLoras
from wan_engine.backends.wan.run import WanRun
from wan_engine.errors import CapabilityError
from wan_engine.families import MODE_WORDS, MODES, Lineup
from wan_engine.models.devices import choose_device, choose_dtype
from wan_engine.models.files import fingerprint
from wan_engine.models.load import Loader
from wan_engine.models.load_component import ATTENTION
from wan_engine.models.model_set import open_model
from wan_engine.plan.model import Plan

_SMALL_BYTES = 100_000_000
"""Models below this run on one thread. A second one gained nothing at 64x64 on an idle machine of two cores, and made a
clip about twenty times slower beside another busy program (7 s against 0.3 s): each small operation waits for both."""


class WanBackend(Backend):
    """Wan models through diffusers. Models are loaded at the first clip that needs them and shared where they can be.

    device, dtype: as in the settings; `auto` takes what the plan was resolved with, else what suits this machine.
    """

    def __init__(self, lineup: Lineup, device: str = "auto", dtype: str = "auto") -> None:
        self._lineup = lineup
        self._device = device
        self._dtype = dtype
        self._loader: Loader | None = None
        self._texts = Texts()

    def resolve(self, plan: Plan) -> dict[str, Any]:
        """What this machine renders with. Sets torch's thread count: another one rounds differently.

        Raises CapabilityError for a device that is asked for and not there, ModelError for a damaged model.
        """
        import torch

        loader = self._settle(plan.resolved)
        modes = {clip.mode for clip in plan.clips}
        cards = {mode: self._lineup.card(mode) for mode in MODES if mode in modes and self._lineup.can(mode)}
        small = all(card.weights_bytes < _SMALL_BYTES for card in cards.values())
        threads = plan.resolved.get("threads") or (1 if small else torch.get_num_threads())
        torch.set_num_threads(threads)
        loras = sorted({lora.path for clip in plan.clips for lora in clip.loras})
        hashes = {card: open_model(card).fingerprint() for card in set(cards.values())}
        return {
            "device": loader.device,
            "device_name": _device_name(loader.device),
            "dtype": loader.dtype,
            "threads": threads,
            "attention": ATTENTION,
            "models": {mode: {"name": card.name, "sha256": hashes[card]} for mode, card in cards.items()},
            "loras": {path: fingerprint({"lora": Path(path)}) for path in loras},
            "versions": {name: version(name) for name in ("torch", "diffusers", "transformers")},
        }

    def start(self, request: ClipRequest, state: RunState | None = None) -> WanRun:
        """Begin a clip or go on with one. Raises CapabilityError, ModelError, RenderError or OutOfMemoryError."""
        mode = request.clip.mode
        if not self._lineup.can(mode):
            message = f"clip {request.clip.index} needs {MODE_WORDS[mode]}; the models can do {self._lineup.words()}"
            raise CapabilityError(message, f"Set a model that can do {MODE_WORDS[mode]}")
        loader = self._loader or self._settle({})
        with guarded(f"loading the model for {MODE_WORDS[mode]}"):
            card = self._lineup.card(mode)
            pipeline, encoder = loader.pipeline(card, mode), loader.text_pipeline(card)
            loras = ClipLoras(pipeline, request.clip, loader.dtype, card.name)
        with guarded(f"preparing clip {request.clip.index}"):
            conditions = make_conditions(pipeline, encoder, request, self._texts, loader.device)
            return WanRun(pipeline, request, conditions, loras, state)

    def close(self) -> None:
        """Give the models' memory back. The backend can be used again: it loads anew."""
        self._texts.clear()
        if self._loader is not None:
            self._loader.close()
            self._loader = None

    def _settle(self, resolved: dict[str, Any]) -> Loader:
        """A loader for the device and the number format that the plan was resolved with, as far as they are here."""
        device = choose_device(self._device) if self._device != "auto" else _still_here(resolved.get("device"))
        dtype = choose_dtype(self._dtype if self._dtype != "auto" else resolved.get("dtype", "auto"), device)
        if self._loader is None or (self._loader.device, self._loader.dtype) != (device, dtype):
            self.close()
            self._loader = Loader(device, dtype)
        return self._loader


def _still_here(device: str | None) -> str:
    """The device if this machine has it, else this machine's best."""
    try:
        return choose_device(device or "auto")
    except CapabilityError:
        return choose_device("auto")


def _device_name(device: str) -> str:
    import torch

    if device.startswith("cuda"):
        return torch.cuda.get_device_name(device)
    if device.startswith("xpu"):
        return str(torch.xpu.get_device_name(device))
    return platform.processor() or platform.machine()
