"""Tells in which number format a file keeps its weights, and whether the engine can read that format."""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import prod

from wan_engine.models.headers.header import Header, TensorInfo

SCALES = (".scale_weight", ".weight_scale")
"""Endings of the factors that an fp8 weight is to be multiplied with: ComfyUI's older and its newer one."""
UNUSED_BESIDE = (".scale_input", ".input_scale", ".comfy_quant")
"""Endings of what else lies beside an fp8 weight: for multiplying in fp8, which we do not."""
MARKER = "scaled_fp8"
"""Name of the tensor that marks ComfyUI's older kind of file."""
LAYER_FORMATS = "_quantization_metadata"
"""Key of the metadata under which ComfyUI's newer kind may name each layer's format."""
FP8_FORMATS = ("float8_e4m3fn", "float8_e5m2")

_BESIDE = (*SCALES, *UNUSED_BESIDE, f".{MARKER}")

_BESIDE_WORDS = ("scale", "comfy_quant", MARKER)
"""One of these is in each such name."""

GGUF_TYPES = (
    *("Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0"),
    *("Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K"),
    *("IQ4_NL", "IQ4_XS"),
)
"""Quantised types of GGUF that diffusers multiplies with."""

_PLAIN = {"F64": "fp64", "F32": "fp32", "F16": "fp16", "BF16": "bf16", "F8_E4M3": "fp8_e4m3fn", "F8_E5M2": "fp8_e5m2"}
_FP8 = ("F8_E4M3", "F8_E5M2")
_STRANGE_SCALES = (".weight_scale_2", ".pre_quant_scale", ".weight_scalar", ".absmax", ".quant_map", ".qweight")
_REMEDY = "Get it as bf16, fp16, fp8 or GGUF (Q4_0 to Q8_0, Q2_K to Q6_K, IQ4_NL, IQ4_XS)"


def is_beside(name: str) -> bool:
    """Whether a tensor is no weight itself but belongs to one."""
    return name.endswith(_BESIDE) or name == MARKER


def weights_among(tensors: Mapping[str, TensorInfo]) -> Mapping[str, TensorInfo]:
    """The tensors that are weights themselves: without those for which `is_beside` holds."""
    joined = "\n".join(tensors)
    if not any(word in joined for word in _BESIDE_WORDS):
        return tensors  # nearly always, and found in one go
    return {name: info for name, info in tensors.items() if not is_beside(name)}


def precision_of(header: Header) -> str:
    """The format most of the weights are in: `bf16`, `fp8_e4m3fn scaled`, `Q4_K`."""
    weights = weights_among(header.tensors).values()
    dtypes = {info.dtype for info in weights}
    counts = dict.fromkeys(dtypes, 0)
    for info in weights if len(dtypes) > 1 else ():
        counts[info.dtype] += prod(info.shape)
    if not counts:
        return "empty"
    dtype = max(counts, key=lambda each: counts[each])
    scaled = dtype in _FP8 and any(name.endswith(SCALES) for name in header.tensors)
    return _PLAIN.get(dtype, dtype) + (" scaled" if scaled else "")


def unreadable_format(header: Header) -> tuple[str, str]:
    """Why the engine cannot read these numbers, and what to do; two empty texts if it can."""
    dtypes = {info.dtype for info in header.tensors.values()}
    joined = "\n".join(header.tensors)
    ordinary = dtypes <= set(_PLAIN) and not any(ending in joined for ending in (*SCALES, *_STRANGE_SCALES))
    for name, info in () if ordinary else header.tensors.items():
        why = _strange(name, info, header)
        if why:
            return why, _REMEDY
    layers = _layer_formats(header)
    strange = next((each for each in layers if each not in FP8_FORMATS), "")
    return (f"its layers are quantised as {strange}, which is not supported", _REMEDY) if strange else ("", "")


def _strange(name: str, info: TensorInfo, header: Header) -> str:
    if name.endswith(_STRANGE_SCALES):
        return f"{name} belongs to a quantisation that is not supported (nvfp4, int8, bitsandbytes or the like)"
    if name.endswith(SCALES):
        return _strange_scale(name, info, header)
    if is_beside(name) or name == "spiece_model" or info.dtype in _PLAIN:
        return ""
    if header.format == "gguf" and info.dtype in GGUF_TYPES:
        return ""
    if info.dtype in ("I64", "I32") and not name.endswith(".weight"):
        return ""
    return f"{name} is in the number format {info.dtype}, which is not supported"


def _strange_scale(name: str, info: TensorInfo, header: Header) -> str:
    """A factor must be one number, or one for each row of its weight."""
    weight = header.tensors.get(name.rpartition(".")[0] + ".weight")
    if weight is None:
        return f"{name} has no weight beside it"
    rows = weight.shape[0] if weight.shape else 1
    if info.dtype not in ("F32", "BF16", "F16") or info.shape not in ((), (1,), (rows,), (rows, 1)):
        shape = "x".join(str(size) for size in info.shape)
        return f"{name} holds {shape} factors of format {info.dtype}, a quantisation that is not supported"
    return ""


def _layer_formats(header: Header) -> list[str]:
    try:
        layers = json.loads(header.metadata.get(LAYER_FORMATS, "{}")).get("layers", {})
        return [str(layer["format"] if isinstance(layer, dict) else layer) for layer in layers.values()]
    except (ValueError, AttributeError, KeyError, RecursionError):
        return ["in a way its metadata does not say"]
