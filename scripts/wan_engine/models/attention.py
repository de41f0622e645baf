"""Finds out which attention kernels give a right result on this machine, by running each on a small attention."""

from __future__ import annotations

import importlib
import importlib.util
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

_HEADS, _TOKENS, _HEAD_SIZE = 2, 128, 128
"""Size of the attention that is tried; every published Wan model has heads of 128."""
_LARGEST_ERROR = 0.1
"""Relative error up to which a kernel counts as right: 16-bit ones stay under 0.01, 8-bit ones under 0.05."""

Kernel = Callable[["torch.Tensor", "torch.Tensor", "torch.Tensor"], "torch.Tensor"]
"""Attention of query, key and value, each of shape (1, heads, tokens, head size); the result has the same shape."""


def try_kernels(device: str) -> dict[str, str]:
    """Why each kernel does not work on the device, by name; "" for one that works.

    Torch's own kernels are all tried, of the others those that are installed. device: as torch names it.
    """
    import torch
    from torch.nn.functional import scaled_dot_product_attention

    generator = torch.Generator().manual_seed(0)
    query, key, value = torch.randn((3, 1, _HEADS, _TOKENS, _HEAD_SIZE), generator=generator)
    expected = scaled_dot_product_attention(query, key, value)
    # Kernels for GPUs take 16-bit numbers; on a CPU the engine renders in float32.
    dtype = torch.float32 if device == "cpu" else torch.float16
    inputs = [tensor.to(device, dtype) for tensor in (query, key, value)]
    kernels = {**_torch_kernels(), **_installed_kernels()}
    return {name: _try_kernel(kernel, inputs, expected) for name, kernel in kernels.items()}


def _try_kernel(kernel: Kernel, inputs: list[torch.Tensor], expected: torch.Tensor) -> str:
    # torch says in warnings why a kernel cannot be used.
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            error = (kernel(*inputs).float().cpu() - expected).norm() / expected.norm()
        except Exception as problem:  # noqa: BLE001 - kernels raise anything; their words are the answer
            words = [f"{type(problem).__name__}: {problem}", *(str(warning.message) for warning in said)]
            return " ".join("; ".join(words).split())
    return "" if error < _LARGEST_ERROR else f"its result is wrong: relative error {float(error):.2g}"


def _torch_kernels() -> dict[str, Kernel]:
    from torch.nn.attention import SDPBackend, sdpa_kernel
    from torch.nn.functional import scaled_dot_product_attention

    def kernel(backend: SDPBackend) -> Kernel:
        def run(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
            with sdpa_kernel(backend):
                return scaled_dot_product_attention(query, key, value)

        return run

    return {
        "sdpa math": kernel(SDPBackend.MATH),
        "sdpa flash": kernel(SDPBackend.FLASH_ATTENTION),
        "sdpa efficient": kernel(SDPBackend.EFFICIENT_ATTENTION),
        "sdpa cudnn": kernel(SDPBackend.CUDNN_ATTENTION),
    }


def _installed_kernels() -> dict[str, Kernel]:
    """The packages of fast attention that are here. flash_attn and xformers want tokens before heads."""

    def sage(*inputs: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = importlib.import_module("sageattention").sageattn(*inputs, tensor_layout="HND")
        return result

    def swapped(module: str, function: str) -> Kernel:
        def run(*inputs: torch.Tensor) -> torch.Tensor:
            attention = getattr(importlib.import_module(module), function)
            result: torch.Tensor = attention(*(tensor.transpose(1, 2).contiguous() for tensor in inputs))
            return result.transpose(1, 2)

        return run

    kernels: dict[str, Kernel] = {
        "sageattention": sage,
        "flash_attn": swapped("flash_attn", "flash_attn_func"),
        "xformers": swapped("xformers.ops", "memory_efficient_attention"),
    }
    return {name: kernel for name, kernel in kernels.items() if importlib.util.find_spec(name)}
