"""Puts the components of loaded models where the profile says, and brings each onto the device in its turn.

On the CPU everything stays there; what is left of a profile is whether the text encoder is kept and the VAE tiled.
"""

from __future__ import annotations

import logging
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wan_engine.models.memory.measure import device_memory, main_memory
from wan_engine.models.memory.profiles import FAST, Home, Profile, below

if TYPE_CHECKING:
    import torch

log = logging.getLogger(__name__)

_GROUPS = {"blocks": "block_level", "leaves": "leaf_level"}
"""diffusers' names of the two ways in which a module passes through the device in pieces."""
_PINNED_SHARE = 1.6
"""Main memory that a pinned copy takes, against the weights: torch rounds each piece up to a power of two (1.45 times
the 14B transformer), and one piece is there twice while it is copied."""


class Placer:
    """Where the components of a film's models are. Components that nothing else names are forgotten.

    device: as `devices.choose_device` gives it.  fp8: keep the weights of transformers in 8 bits.
    dtype: numbers they are computed in then, as torch names it.  stepped: is told each profile that is stepped down to.
    to_come: bytes of transformers that are still to be read into main memory, which pinning must leave room for.
    """

    def __init__(self, device: str, profile: Profile = FAST, fp8: bool = False, dtype: str = "bfloat16") -> None:
        self._device = device
        self._fp8 = fp8
        self._dtype = dtype
        self.profile = profile
        self.to_come = 0
        self.stepped: Callable[[Profile], None] = lambda profile: None
        self._placed: list[tuple[str, weakref.ref[torch.nn.Module]]] = []
        self._lent: weakref.WeakKeyDictionary[torch.nn.Module, list[_Lent]] = weakref.WeakKeyDictionary()

    def reads_to(self, name: str) -> str:
        """Straight to the device what stays there, and to main memory what waits there or is changed on the way."""
        in_8_bits = self._fp8 and name.startswith("transformer")
        return self._device if self._home(name) == "device" and not in_8_bits else "cpu"

    def place(self, name: str, module: torch.nn.Module) -> None:
        """Put a component that was just loaded where it lives."""
        if self._fp8 and name.startswith("transformer"):
            store_in_fp8(module, self._dtype)
        if name.startswith("transformer"):
            self.to_come = max(0, self.to_come - _bytes(module))
        self._placed.append((name, weakref.ref(module)))
        self._settle(name, module)

    def use(self, module: torch.nn.Module | None, room: int = 0) -> None:
        """Bring a component onto the device if it is its turn, and whatever else waits by turns out of its way.

        room: bytes that it needs besides its weights.
        """
        if module is None or self._device == "cpu":
            return
        there = list(self._alive())
        turn = any(module is other and self._home(name) == "turn" for name, other in there)
        wanted = room + (_bytes(module) if turn and not _on(module, self._device) else 0)
        for name, other in there:
            if other is not module and self._home(name) == "turn" and _on(other, self._device):
                if device_memory(self._device)[0] >= wanted:
                    break
                self.leave(other)
        if turn:
            lend(module, self._device, self._lent.setdefault(module, []))

    def leave(self, module: torch.nn.Module) -> None:
        """Take a component off the device."""
        without_groups(module)
        take_back(module, self._lent.pop(module, []))
        release(self._device)

    def change(self, profile: Profile) -> None:
        """Put everything where another profile says."""
        for _, module in self._alive():
            self.leave(module)
        self.profile = profile
        for name, module in self._alive():
            self._settle(name, module)

    def step_down(self) -> Profile | None:
        """Go on with the next profile that needs less of the device; None, and nothing done, when there is none."""
        lower = below(self.profile)
        if lower is not None:
            self.change(lower)
            self.stepped(lower)
        return lower

    def device_of(self, name: str) -> str:
        """The device that a component computes on."""
        return "cpu" if self._home(name) == "cpu" else self._device

    def _home(self, name: str) -> Home:
        return self.profile.home(name)

    def _settle(self, name: str, module: torch.nn.Module) -> None:
        home = self._home(name)
        without_groups(module)
        if name == "vae":
            _tile(module, self.profile.tiled)
        if self._device == "cpu":
            module.to("cpu")
        elif home in _GROUPS:
            offload_groups(module, self._device, _GROUPS[home], self.to_come)
        else:
            module.to(self._device if home == "device" else "cpu")

    def _alive(self) -> list[tuple[str, Any]]:
        found = [(name, reference()) for name, reference in self._placed]
        self._placed = [entry for entry, (_, module) in zip(self._placed, found, strict=True) if module is not None]
        return [(name, module) for name, module in found if module is not None]


@dataclass(frozen=True)
class _Lent:
    """A tensor that was copied to the device: what it is in main memory, and its version at that time."""

    tensor: torch.Tensor
    data: torch.Tensor
    version: int


def lend(module: torch.nn.Module, device: str, lent: list[_Lent]) -> None:
    """Copy a module to the device; what is in main memory stays there, for `take_back`.

    Copying 14 billion weights out again took 25 s on a machine where copying them in took 5 s. Where the device's
    memory is main memory, as Apple's is, nothing stays. lent: gets what was copied; when the device is full on the
    way, that is what is there already.
    """
    if device.startswith("mps"):
        module.to(device)
        return
    for tensor in (*module.parameters(), *module.buffers()):
        if not _is_on(tensor, device):
            data = tensor.data
            lent.append(_Lent(tensor, data, tensor._version))
            tensor.data = data.to(device, copy=True)


def take_back(module: torch.nn.Module, lent: list[_Lent]) -> None:
    """Let a module be in main memory again; what was changed on the device, or came to be there, is copied."""
    for each in lent:
        if each.tensor._version == each.version:
            each.tensor.data = each.data
    module.to("cpu")


def offload_groups(module: torch.nn.Module, device: str, kind: str, spared: int = 0) -> None:
    """Keep a module in main memory and let it pass through the device in pieces while it computes.

    kind: `block_level` or `leaf_level`. With CUDA the next piece is on its way meanwhile, for which the weights are
    pinned, if main memory has room for that. spared: bytes of main memory that are left to others.
    """
    import torch
    from diffusers.hooks import apply_group_offloading

    module.to("cpu")
    streams = torch.device(device).type == "cuda"
    pinned = streams and main_memory()[0] - spared > _PINNED_SHARE * _bytes(module)
    if streams and not pinned:
        log.warning("Main memory has no room to pin the weights; offloading is slower without")
    if pinned:
        # One after the other: diffusers would copy all before it gives up the first.
        for tensor in (*module.parameters(), *module.buffers()):
            tensor.data = tensor.data.pin_memory()
    apply_group_offloading(
        module,
        onload_device=torch.device(device),
        offload_device=torch.device("cpu"),
        offload_type=kind,
        num_blocks_per_group=1,
        use_stream=streams,
        record_stream=streams,
        low_cpu_mem_usage=streams and not pinned,
    )


def store_in_fp8(module: Any, dtype: str) -> None:
    """Keep a transformer's large weights in 8 bits and compute in `dtype`; GGUF's packed weights stay as they are.

    Nothing is done to a transformer that is kept so already.
    """
    import torch
    from diffusers.hooks.layerwise_casting import _is_layerwise_casting_active

    if _is_layerwise_casting_active(module):
        return
    if getattr(module, "is_quantized", False):
        log.warning("The weights are quantised already and are not stored in fp8")
        return
    module.enable_layerwise_casting(storage_dtype=torch.float8_e4m3fn, compute_dtype=getattr(torch, dtype))


def release(device: str) -> None:
    """Give the memory that torch keeps unused back to the device, and pinned memory back to the machine."""
    import gc

    import torch

    gc.collect()
    kind = torch.device(device).type
    if kind != "cpu":
        getattr(torch, kind).empty_cache()
    if kind == "cuda":
        # No public function does it. Without, what was pinned once stays taken: 41 GB for the 14B transformer.
        torch._C._host_emptyCache()


def without_groups(module: torch.nn.Module) -> None:
    """Take diffusers' hooks of group offloading off, wherever in the module they are."""
    from diffusers.hooks import HookRegistry
    from diffusers.hooks.group_offloading import (
        _GROUP_OFFLOADING,
        _LAYER_EXECUTION_TRACKER,
        _LAZY_PREFETCH_GROUP_OFFLOADING,
        _is_group_offload_enabled,
    )

    if not _is_group_offload_enabled(module):
        return
    registry = HookRegistry.check_if_exists_or_initialize(module)
    for hook in (_GROUP_OFFLOADING, _LAYER_EXECUTION_TRACKER, _LAZY_PREFETCH_GROUP_OFFLOADING):
        registry.remove_hook(hook, recurse=True)


def _tile(vae: Any, tiled: bool) -> None:
    if tiled:
        vae.enable_tiling()
    else:
        vae.disable_tiling()


def _bytes(module: torch.nn.Module) -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in (*module.parameters(), *module.buffers()))


def _on(module: torch.nn.Module, device: str) -> bool:
    return _is_on(next(module.parameters()), device)


def _is_on(tensor: torch.Tensor, device: str) -> bool:
    import torch

    return tensor.device.type == torch.device(device).type
