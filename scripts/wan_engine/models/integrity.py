"""Checks that a network got every weight it has, from the file, and that the weights are numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from wan_engine.errors import ModelError
from wan_engine.models.headers.header import DOWNLOAD_AGAIN, shown_name
from wan_engine.models.weights import is_quantised
from wan_engine.words import counted

if TYPE_CHECKING:
    import torch

_FACTORS_AT = {
    "Q4_0": (0,), "Q4_1": (0, 2), "Q5_0": (0,), "Q5_1": (0, 2), "Q8_0": (0,),
    "Q2_K": (80, 82), "Q3_K": (108,), "Q4_K": (0, 2), "Q5_K": (0, 2), "Q6_K": (208,),
    "IQ4_NL": (0,), "IQ4_XS": (0,),
}  # fmt: skip
"""Where in a block of each quantised type its float16 factors lie, in bytes: llama.cpp's `ggml-common.h`."""


def check_names(where: str, needed: Iterable[str], there: Iterable[str]) -> None:
    """Raises ModelError unless the names are the same. where: the file, for the message."""
    wanted, found = set(needed), set(there)
    for kind, names in (("missing", wanted - found), ("unknown", found - wanted)):
        if names:
            count = counted(len(names), f"{kind} tensor")
            message = f"{where} is incomplete or of another model: {count}, such as {min(names)}"
            raise ModelError(message, _REMEDY)


_REMEDY = "Download it again, or choose a file of this model"


def check_finite(where: str, name: str, tensor: torch.Tensor) -> None:
    """Raises ModelError when a tensor holds something that is not a number, or infinite.

    Of a quantised tensor the factors are looked at; whatever its other bits are, they are numbers.
    """
    import torch

    if is_quantised(tensor):
        tensor = _factors(tensor)
    elif not tensor.is_floating_point():
        return
    if tensor.element_size() == 1:
        tensor = tensor.float()
    # A sum is as fast as memory is, and only a sum that is no number asks for a closer look.
    if not bool(tensor.sum(dtype=torch.float32).isfinite()) and not bool(tensor.isfinite().all()):
        message = f"{where} is damaged: the tensor {shown_name(name)} holds values that are not numbers"
        raise ModelError(message, DOWNLOAD_AGAIN)


def _factors(tensor: Any) -> torch.Tensor:
    import torch
    from gguf import GGML_QUANT_SIZES

    _, block_bytes = GGML_QUANT_SIZES[tensor.quant_type]
    blocks = tensor.as_tensor().reshape(-1, block_bytes)
    places = _FACTORS_AT[tensor.quant_type.name]
    factors = [blocks[:, at : at + 2].contiguous().view(torch.float16) for at in places]
    return torch.cat(factors)


def check_whole(where: str, module: torch.nn.Module) -> None:
    """Raises ModelError when a tensor of a loaded network is still without content."""
    named: Mapping[str, torch.Tensor] = {**dict(module.named_parameters()), **dict(module.named_buffers())}
    empty = sorted(name for name, tensor in named.items() if tensor.is_meta)
    if empty:
        raise ModelError(f"{where} was loaded only in part: {empty[0]} has no content", DOWNLOAD_AGAIN)


def check_words(where: str, encoder: Any) -> None:
    """Raises ModelError unless UMT5's two names for its word table are one table that is not empty.

    Some releases of transformers left the encoder's own copy at zero, and every prompt became the same.
    """
    import torch

    shared, used = encoder.shared.weight, encoder.encoder.embed_tokens.weight
    if not torch.equal(shared, used) or not bool(shared.any()):
        message = f"{where}: the text encoder's word table was not loaded"
        raise ModelError(message, "Use the locked version of transformers, or download the folder again")
