"""Random weights as a GGUF file holds them: packed blocks of the real size in the linear layers of a transformer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wan_engine.errors import CapabilityError

if TYPE_CHECKING:
    import torch

    Factors = dict[int, float]

_FACTORS: dict[str, Factors] = {"Q4_K": {0: 1e-4, 2: 7.5e-4}, "Q8_0": {0: 2.5e-4}}
"""Where in a block its factors lie, in bytes, and what they are here: weights of about 0.02, as elsewhere.
After `block_q4_K` and `block_q8_0` of ggml."""
PACKINGS = tuple(_FACTORS)
"""The types of GGUF that are offered."""
_INSIDE = ("blocks.", "vace_blocks.")


def packed_size(name: str, shape: tuple[int, ...], packing: str) -> int:
    """Bytes of a packed weight; 0 for one that stays plain: those outside the blocks, biases, norms."""
    if not packing or not name.startswith(_INSIDE) or len(shape) != 2 or not name.endswith(".weight"):
        return 0
    per_block, size = _sizes(packing)
    return shape[0] * shape[1] // per_block * size


def pack(network: Any, packing: str, device: str, dtype: torch.dtype) -> None:
    """Put diffusers' GGUF layers with random blocks in the place of the linear layers inside a network's blocks.

    network: on the meta device.  Raises CapabilityError for a type that is not offered.
    """
    import torch
    from diffusers import GGUFQuantizationConfig
    from diffusers.quantizers.auto import DiffusersAutoQuantizer
    from diffusers.quantizers.gguf.utils import GGUFLinear, GGUFParameter
    from gguf import GGMLQuantizationType

    if packing not in PACKINGS:
        raise CapabilityError(f"there are no random weights of the type {packing}", f"Known: {', '.join(PACKINGS)}")
    kind = GGMLQuantizationType[packing]
    per_block, size = _sizes(packing)
    weights = {}
    for name, parameter in network.named_parameters():
        shape = tuple(parameter.shape)
        if packed_size(name, shape, packing):
            rows = torch.empty((shape[0], shape[1] // per_block * size), dtype=torch.uint8, device=device)
            _fill(rows.view(-1, size), _FACTORS[packing])
            weights[name] = GGUFParameter(rows, quant_type=kind)
    quantizer = DiffusersAutoQuantizer.from_config(GGUFQuantizationConfig(compute_dtype=dtype))
    kept = list(network._keep_in_fp32_modules or ())
    quantizer.preprocess_model(model=network, device_map=None, state_dict=weights, keep_in_fp32_modules=kept)
    network.hf_quantizer = quantizer
    for name, weight in weights.items():
        layer = network.get_submodule(name.rpartition(".")[0])
        if isinstance(layer, GGUFLinear):
            layer.register_parameter("weight", weight)


def _sizes(packing: str) -> tuple[int, int]:
    """Weights of a block, and its bytes."""
    from gguf import GGML_QUANT_SIZES, GGMLQuantizationType

    per_block, size = GGML_QUANT_SIZES[GGMLQuantizationType[packing]]
    return int(per_block), int(size)


def _fill(blocks: torch.Tensor, factors: Factors) -> None:
    import torch

    blocks.random_(0, 256)
    for place, value in factors.items():
        factor = torch.tensor([value], dtype=torch.float16).view(torch.uint8)
        blocks[:, place : place + 2] = factor.to(blocks.device)
