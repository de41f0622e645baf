"""Applies LoRAs to a loaded transformer: loaded once, weighted anew for each clip, removed without a trace.

Low-rank parts run beside the weights (PEFT's layers), so that quantised and offloaded weights stay as they are.
Additions to biases, norms and modulation, which PEFT has no layer for, are added to the parameters themselves, whose
originals are kept.
"""

from __future__ import annotations

import logging
import re
import warnings
from collections import Counter
from collections.abc import Mapping
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wan_engine.errors import ModelError
from wan_engine.models.headers.header import DOWNLOAD_AGAIN
from wan_engine.models.lora.fit import Fit, fit
from wan_engine.models.lora.layout import LowRank, open_lora
from wan_engine.models.lora.shapes import transformer_shapes

if TYPE_CHECKING:
    import torch

log = logging.getLogger(__name__)


class Adapters:
    """The LoRAs of one transformer.

    transformer: a WanTransformer3DModel or WanVACETransformer3DModel.  dtype: numbers the low-rank parts are kept and
    computed in (torch.float32, torch.bfloat16); parts of float32 modules are float32.  model: its name, for errors.
    """

    def __init__(self, transformer: Any, dtype: torch.dtype, model: str = "the model") -> None:
        self._transformer = transformer
        self._dtype = dtype
        self._model = model
        self._shapes = transformer_shapes(transformer.config)
        self._names: dict[Path, str] = {}
        self._additions: dict[Path, dict[str, torch.Tensor]] = {}
        self._originals: dict[str, torch.Tensor] = {}
        self._weights: dict[Path, float] | None = {}

    def use(self, weights: Mapping[Path, float]) -> None:
        """Apply exactly these LoRAs with these weights; what is not named, or has weight 0, has no effect.

        Does nothing when they are the ones in use. Raises ModelError for a LoRA that cannot be used.
        """
        wanted = {path: weight for path, weight in weights.items() if weight}
        if wanted == self._weights:
            return
        self._weights = None  # what is in use is not known if something below fails
        for path in wanted:
            if path not in self._additions:
                self._load(path)
        self._set_low_rank(wanted)
        self._set_additions(wanted)
        self._weights = wanted

    def remove(self) -> None:
        """Take every LoRA out of the transformer, whose weights are then bit for bit what they were."""
        self._set_additions({})
        if self._names:
            self._transformer.unload_lora()
        self._names.clear()
        self._additions.clear()
        self._weights = {}

    def _load(self, path: Path) -> None:
        found = fit(open_lora(path), self._shapes, self._model)
        log.info("LoRA %s: %s of %s", path.name, found.words(), self._model)
        self._refuse_quantised(found)
        loaded = _Loaded(found)
        if loaded.low_rank:
            name = f"lora_{len(self._names)}"
            self._inject(name, loaded)
            self._names[path] = name
        self._additions[path] = loaded.additions

    def _refuse_quantised(self, found: Fit) -> None:
        """Raises ModelError where a whole weight would have to be added to one that is packed."""
        for addition in found.additions:
            if tuple(self._parameter(addition.parameter).shape) != self._shapes[addition.parameter]:
                message = f"{found.lora.path} adds to {addition.parameter}, which is quantised in {self._model}"
                raise ModelError(message, "Use a LoRA without .diff tensors, or the model unquantised")

    def _inject(self, name: str, loaded: _Loaded) -> None:
        """Put a LoRA's low-rank parts beside the weights, switched off until `_set_low_rank` says otherwise."""
        tensors = {}
        for module, (down, up) in loaded.low_rank.items():
            shape, weight = self._shapes[f"{module}.weight"], self._layer(module).weight
            kind = weight.dtype if weight.dtype.is_floating_point and weight.dtype.itemsize > 2 else self._dtype
            down = down.reshape(-1, *shape[1:])
            up = up.reshape(shape[0], -1, *(1 for _ in shape[2:]))
            tensors[f"{module}.lora_A.weight"] = down.to(weight.device, kind)
            tensors[f"{module}.lora_B.weight"] = up.to(weight.device, kind)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Already found a `peft_config`")  # a second LoRA is meant
            self._transformer.load_lora_adapter(
                tensors, prefix=None, adapter_name=name, metadata=_peft_config(loaded), low_cpu_mem_usage=True
            )
        for module in loaded.low_rank:
            # Once more: PEFT casts them to the number format of the weight, which may be stored in 8 bits.
            layer = self._transformer.get_submodule(module)
            layer.lora_A[name].weight.data = tensors[f"{module}.lora_A.weight"]
            layer.lora_B[name].weight.data = tensors[f"{module}.lora_B.weight"]
        self._offload_anew()

    def _layer(self, module: str) -> Any:
        """The layer that holds the weight, which PEFT may have wrapped."""
        layer = self._transformer.get_submodule(module)
        return getattr(layer, "base_layer", layer)

    def _parameter(self, name: str) -> torch.nn.Parameter:
        module, _, own = name.rpartition(".")
        found: torch.nn.Parameter = getattr(self._layer(module), own)
        return found

    def _set_low_rank(self, weights: Mapping[Path, float]) -> None:
        if not self._names:
            return
        names = {self._names[path]: weight for path, weight in weights.items() if path in self._names}
        if names:
            self._transformer.enable_lora()
            self._transformer.set_adapters(list(names), list(names.values()))
        else:
            self._transformer.disable_lora()
        self._transformer.requires_grad_(False)

    def _set_additions(self, weights: Mapping[Path, float]) -> None:
        """Set every parameter that is or was added to: its original plus the weighted additions in use."""
        import torch

        wanted: dict[str, list[tuple[float, torch.Tensor]]] = {name: [] for name in self._originals}
        for path, weight in weights.items():
            for name, tensor in self._additions[path].items():
                wanted.setdefault(name, []).append((weight, tensor))
        if not wanted:
            return
        with torch.no_grad():
            for name, terms in wanted.items():
                parameter = self._parameter(name)
                if name not in self._originals:
                    self._originals[name] = parameter.detach().to("cpu", copy=True)
                original = self._originals[name]
                total = original.float()
                for weight, tensor in terms:
                    total = total + weight * tensor.float().reshape(original.shape)
                parameter.copy_(total.to(original.dtype) if terms else original)
                if not terms:
                    del self._originals[name]
        self._offload_anew()

    def _offload_anew(self) -> None:
        """Offloading by groups keeps copies of the parameters it moves; they are made again from the changed ones."""
        from diffusers.hooks.group_offloading import _maybe_remove_and_reapply_group_offloading

        _maybe_remove_and_reapply_group_offloading(self._transformer)


_ATTRIBUTE = "_wan_loras"


def use_loras(transformer: Any, weights: Mapping[Path, float], dtype: torch.dtype, model: str) -> None:
    """Let the transformer run with exactly these LoRAs; see `Adapters`, which live and end with the transformer."""
    adapters = getattr(transformer, _ATTRIBUTE, None)
    if adapters is None:
        if not weights:
            return
        adapters = Adapters(transformer, dtype, model)
        setattr(transformer, _ATTRIBUTE, adapters)
    adapters.use(weights)


class _Loaded:
    """The tensors of the parts of a LoRA that fit: pairs of down and up by module, additions by parameter.

    scales: factor of up @ down, by module.  Raises ModelError for a file that cannot be read to its end.
    """

    def __init__(self, found: Fit) -> None:
        from safetensors import SafetensorError, safe_open

        self.low_rank: dict[str, tuple[torch.Tensor, torch.Tensor]] = {}
        self.scales: dict[str, float] = {}
        self.additions: dict[str, torch.Tensor] = {}
        path = found.lora.path
        try:
            with safe_open(path, framework="pt") as file:
                for entry in found.low_rank:
                    self._take(found, entry, file)
                for addition in found.additions:
                    self._add(addition.parameter, file.get_tensor(addition.stored.key))
        except (OSError, SafetensorError) as error:
            raise ModelError(f"{path} cannot be read: {error}", DOWNLOAD_AGAIN) from error
        tensors = [*(tensor for pair in self.low_rank.values() for tensor in pair), *self.additions.values()]
        if not all(bool(tensor.isfinite().all()) for tensor in tensors) or not all(map(isfinite, self.scales.values())):
            raise ModelError(f"{path} holds values that are not numbers", DOWNLOAD_AGAIN)

    def _take(self, found: Fit, entry: LowRank, file: Any) -> None:
        alpha = float(file.get_tensor(entry.alpha)) if entry.alpha else None
        scale = found.lora.scale(entry, alpha)
        self.low_rank[entry.module] = (file.get_tensor(entry.down.key), file.get_tensor(entry.up.key))
        self.scales[entry.module] = scale
        if entry.bias:
            self._add(f"{entry.module}.bias", scale * file.get_tensor(entry.bias).float())

    def _add(self, parameter: str, tensor: torch.Tensor) -> None:
        self.additions[parameter] = self.additions[parameter] + tensor if parameter in self.additions else tensor


def _peft_config(loaded: _Loaded) -> dict[str, Any]:
    """PEFT's LoraConfig of a LoRA: the most common rank and alpha, and one pattern for each other one.

    One pattern for all modules of a rank, because PEFT tries every pattern on every module.
    """
    ranks = {module: down.shape[0] for module, (down, _) in loaded.low_rank.items()}
    alphas = {module: loaded.scales[module] * rank for module, rank in ranks.items()}
    return {
        "r": Counter(ranks.values()).most_common(1)[0][0],
        "lora_alpha": Counter(alphas.values()).most_common(1)[0][0],
        "rank_pattern": _patterns(ranks),
        "alpha_pattern": _patterns(alphas),
        "target_modules": list(ranks),
    }


def _patterns(values: Mapping[str, float]) -> dict[str, float]:
    modules: dict[float, list[str]] = {}
    for module, value in values.items():
        modules.setdefault(value, []).append(re.escape(module))
    return {f"^(?:{'|'.join(names)})": value for value, names in modules.items()} if len(modules) > 1 else {}
