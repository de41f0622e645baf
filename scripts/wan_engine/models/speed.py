"""Estimates how long a denoising step will take, from the work of the network and a small measurement of the device."""

from __future__ import annotations

import time

from wan_engine.models.memory.needs import Clip, Weights

_SHARE = 0.65
"""Share of the speed of a large matrix product that Wan's transformers reach: 0.57 (1.3B) to 0.70 (14B) on an H200."""
_SIDE, _RUNS = 4096, 8
_TEXT_TOKENS = 512


def step_operations(weights: Weights, clip: Clip) -> float:
    """Floating point operations of one forward of the transformer.

    For each of its layers and tokens: the projections of both attentions (6 width^2, two of them for the text's tokens)
    and the feed-forward network (2 width * middle), twice for multiply and add, and the attentions themselves.
    """
    tokens, dim = weights.tokens(clip), weights.dim
    linear = 2 * tokens * (6 * dim**2 + 2 * dim * weights.ffn_dim) + 4 * _TEXT_TOKENS * dim**2
    attention = 4 * tokens * (tokens + _TEXT_TOKENS) * dim
    return float(weights.layers * (linear + attention))


def forward_seconds(weights: Weights, clip: Clip, rate: float) -> float:
    """Seconds of one forward, estimated. rate: of `matrix_rate`."""
    return step_operations(weights, clip) / (rate * _SHARE)


def matrix_rate(device: str, dtype: str) -> float:
    """Operations a second of a large matrix product on a CUDA device, measured in some tens of milliseconds."""
    import torch

    kind: torch.dtype = getattr(torch, dtype)
    square = torch.ones(_SIDE, _SIDE, device=device, dtype=kind)
    square @ square  # the first one loads the library
    torch.cuda.synchronize(device)
    start = time.perf_counter()
    for _ in range(_RUNS):
        square @ square
    torch.cuda.synchronize(device)
    return float(2 * _SIDE**3 * _RUNS / (time.perf_counter() - start))
