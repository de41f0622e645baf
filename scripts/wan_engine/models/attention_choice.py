"""Chooses the attention kernel of the transformers: the one asked for, or the fastest of those that compute right."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from wan_engine.errors import CapabilityError

if TYPE_CHECKING:
    import torch

BACKENDS = {
    "sdpa": "native",
    "cudnn": "_native_cudnn",
    "flash": "flash",
    "xformers": "xformers",
    "sage": "sage",
}
"""diffusers' names of the kernels, by the value of the setting `attention`."""
EIGHT_BITS = ("sage",)
"""Kernels that compute in 8 bits, which changes the pictures: never taken unasked."""

_TOKENS, _HEADS, _HEAD_SIZE = 8192, 12, 128
"""Size of the timed attention: heads as in Wan 2.1 1.3B, enough tokens to keep a large GPU busy."""
_RUNS = 5
_LARGEST_ERROR = {"sage": 0.1}
_USUAL_ERROR = 0.02
"""Relative errors up to which a result counts as right: 16-bit kernels stay under 0.01, 8-bit ones under 0.05."""
_WORTH = 0.97
"""Another kernel than torch's own must need less than this share of its time."""

log = logging.getLogger(__name__)


def choose_attention(asked: str, device: str, dtype: str) -> str:
    """The kernel for this device: a key of BACKENDS. asked: one of them, or `auto`.  dtype: as torch names it.

    auto tries none on the CPU, where torch's own is the only one. Raises CapabilityError when the one asked for is not
    here or computes wrongly.
    """
    if asked == "sdpa" or (asked == "auto" and not device.startswith("cuda")):
        return "sdpa"
    if asked != "auto":
        why = failure(asked, device, dtype)
        if why:
            raise CapabilityError(f"attention {asked} does not work here: {why}", "Set attention to auto")
        return asked
    working = [name for name in BACKENDS if name not in EIGHT_BITS and not failure(name, device, dtype)]
    times = {name: milliseconds(name, device, dtype) for name in working}
    log.info("Attention: %s", ", ".join(f"{name} {time:.2f} ms" for name, time in times.items()))
    fastest = min(times, key=lambda name: times[name], default="sdpa")
    return fastest if times and times[fastest] < _WORTH * times.get("sdpa", float("inf")) else "sdpa"


def failure(name: str, device: str, dtype: str) -> str:
    """Why a kernel does not work on the device, in its own words; "" if its result is right on a small case."""
    from torch.nn.functional import scaled_dot_product_attention

    query, key, value = _inputs("cpu", "float32", 256, 2)
    swapped = [each.transpose(1, 2) for each in (query, key, value)]
    expected = scaled_dot_product_attention(swapped[0], swapped[1], swapped[2]).transpose(1, 2)
    try:
        given = [_moved(each, device, dtype) for each in (query, key, value)]
        error = float((_run(name, given).float().cpu() - expected).norm() / expected.norm())
    except Exception as problem:  # noqa: BLE001 - kernels raise anything; their words are the answer
        return " ".join(f"{type(problem).__name__}: {problem}".split())
    right = error < _LARGEST_ERROR.get(name, _USUAL_ERROR)  # not so for NaN either
    return "" if right else f"its result is wrong: relative error {error:.2g}"


def milliseconds(name: str, device: str, dtype: str) -> float:
    """The mean time of one large attention with a kernel on a CUDA device, after a first one to warm up."""
    import torch

    inputs = _inputs(device, dtype, _TOKENS, _HEADS)
    _run(name, inputs)
    torch.cuda.synchronize(device)
    start = time.perf_counter()
    for _ in range(_RUNS):
        _run(name, inputs)
    torch.cuda.synchronize(device)
    return (time.perf_counter() - start) * 1000 / _RUNS


def set_attention(transformer: object, name: str) -> None:
    """Let a transformer of diffusers compute its attention with a kernel. name: a key of BACKENDS."""
    transformer.set_attention_backend(BACKENDS[name])  # type: ignore[attr-defined]


def _inputs(device: str, dtype: str, tokens: int, heads: int) -> list[torch.Tensor]:
    """Query, key and value of shape (1, tokens, heads, head size), as diffusers has them."""
    import torch

    generator = torch.Generator(device).manual_seed(0)
    shape = (3, 1, tokens, heads, _HEAD_SIZE)
    return list(torch.randn(shape, generator=generator, device=device, dtype=getattr(torch, dtype)))


def _moved(tensor: torch.Tensor, device: str, dtype: str) -> torch.Tensor:
    import torch

    return tensor.to(device, getattr(torch, dtype))


def _run(name: str, inputs: list[torch.Tensor]) -> torch.Tensor:
    import torch
    from diffusers.models.attention_dispatch import attention_backend, dispatch_attention_fn

    with torch.no_grad(), attention_backend(BACKENDS[name]):
        result: torch.Tensor = dispatch_attention_fn(*inputs)
    return result
