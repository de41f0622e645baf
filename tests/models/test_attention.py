"""Kernels are judged by their result, and their failures keep the words."""

from __future__ import annotations

import warnings

import torch

from wan_engine.models.attention import _try_kernel, try_kernels


def _inputs() -> tuple[list[torch.Tensor], torch.Tensor]:
    query, key, value = torch.randn((3, 1, 2, 16, 8), generator=torch.Generator().manual_seed(1))
    return [query, key, value], torch.nn.functional.scaled_dot_product_attention(query, key, value)


def test_torchs_plain_kernel_works_on_the_cpu() -> None:
    reasons = try_kernels("cpu")
    assert reasons["sdpa math"] == ""
    assert reasons["sdpa cudnn"] != ""
    assert {"sdpa flash", "sdpa efficient"} <= set(reasons)


def test_a_wrong_result_is_no_success() -> None:
    inputs, expected = _inputs()
    assert "wrong" in _try_kernel(lambda query, key, value: value, inputs, expected)
    assert "wrong" in _try_kernel(lambda query, key, value: value * torch.nan, inputs, expected)
    assert _try_kernel(lambda query, key, value: expected, inputs, expected) == ""


def test_a_failure_keeps_error_and_warnings() -> None:
    def kernel(*_: torch.Tensor) -> torch.Tensor:
        warnings.warn("the card is too old", stacklevel=1)
        raise RuntimeError("no kernel\nfor this")

    assert _try_kernel(kernel, *_inputs()) == "RuntimeError: no kernel for this; the card is too old"
