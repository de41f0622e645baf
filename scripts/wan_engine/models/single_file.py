"""Makes the network of a single weight file, of any layout and number format, and checks that nothing is amiss with it.

Tensors are read, converted and put into the network one by one, so memory holds little more than the network.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from wan_engine.errors import ModelError
from wan_engine.models.configs import OddFiguresError, vace_config
from wan_engine.models.convert.fp8_scaled import Scaled
from wan_engine.models.convert.layout import Shape, Source
from wan_engine.models.convert.layouts import LAYOUTS
from wan_engine.models.detect import Part
from wan_engine.models.headers.header import Header
from wan_engine.models.headers.read import read_header
from wan_engine.models.integrity import check_finite, check_names, check_whole, check_words
from wan_engine.models.precision import GGUF_TYPES, is_beside
from wan_engine.models.weights import dequantised, is_quantised, open_weights

if TYPE_CHECKING:
    import torch

TIED = {"encoder.embed_tokens.weight": "shared.weight"}
"""Names of UMT5 that stand for the same table; a file needs only the second."""

CLASSES = {
    **dict.fromkeys(("WanTransformer3DModel", "WanVACETransformer3DModel", "AutoencoderKLWan")),
    "UMT5EncoderModel": "UMT5Config",
    "CLIPVisionModel": "CLIPVisionConfig",
}
"""The networks of Wan: classes of diffusers, and classes of transformers with the class of their config."""

Result = TypeVar("Result")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Wiring:
    """How a network is filled. empty: the network without content.  sources: of its tensors, with the file of each."""

    empty: torch.nn.Module
    sources: dict[str, tuple[Source, Header, str]]


def load_part(part: Part, dtype: str = "float32", vace: Part | None = None, device: str = "cpu") -> torch.nn.Module:
    """The network of a file, ready to run.

    dtype: of the weights, as torch names it. What diffusers keeps in float32 stays so. Linear layers that GGUF holds
    quantised stay quantised in a transformer and compute in `dtype`; everything else becomes plain numbers.
    vace: blocks of a VACE module to be put on this T2V transformer.  device: the weights are put on, one by one as they
    are read, so that main memory holds one at a time. Raises ModelError.
    """
    import torch

    wiring = _wire(part, vace)
    wanted: torch.dtype = getattr(torch, dtype)
    log.info("Loading %s (%s, %s)", part.path, part.label, part.precision)
    headers = {header.path: header for _, header, _ in wiring.sources.values()}
    opened = {path: Scaled(open_weights(header), str(path)) for path, header in headers.items()}
    module = wiring.empty
    if part.kind == "transformer":
        _keep_quantised(module, wiring, opened, wanted)
    for name, (source, header, prefix) in wiring.sources.items():
        tensor = _piece(opened[header.path][prefix + source.name], source)
        check_finite(str(header.path), prefix + source.name, tensor)
        _assign(module, name, tensor, number_format(module, name, wanted), device)
    for tied, original in TIED.items():
        if part.kind == "text_encoder":
            _put(module, tied, module.get_parameter(original))
    check_whole(str(part.path), module)
    if part.kind == "text_encoder":
        check_words(str(part.path), module)
    # Buffers were made on the CPU.
    return module.to(device).eval().requires_grad_(False)


def check_part(part: Part, vace: Part | None = None) -> None:
    """Raises ModelError unless every tensor of the network is in the file, in its shape, and nothing else is.

    Reads headers only. Takes some seconds, for torch and diffusers are loaded to learn what the network has.
    """
    _wire(part, vace)


def _wire(part: Part, vace: Part | None) -> _Wiring:
    for each in (part, vace):
        if each is not None:
            each.check()
    if "_class_name" not in part.config:
        raise ModelError(f"{part.path} is no whole network ({part.label})", "Choose a file of a whole network")
    config = dict(part.config)
    if vace is not None:
        config |= _joined_config(part, vace)
    sources = _sources(part) | (_sources(vace) if vace is not None else {})
    empty = _understood(part, lambda: _empty(config))
    needed = {name: tuple(tensor.shape) for name, tensor in empty.state_dict().items()}
    for tied, original in TIED.items():
        if tied in needed and original in sources:
            sources.pop(tied, None)
            needed.pop(tied)
    check_names(str(part.path), needed, sources)
    for name, (source, header, prefix) in sources.items():
        shape = header.tensors[prefix + source.name].shape
        if not _fits(_piece_shape(shape, source), needed[name]):
            message = f"{header.path}: {prefix}{source.name} has the shape {shape}, but the model needs {needed[name]}"
            raise ModelError(message, "Choose a file of this model, or download it again")
    return _Wiring(empty, sources)


def _sources(part: Part) -> dict[str, tuple[Source, Header, str]]:
    header = read_header(part.path)
    layout = LAYOUTS[part.layout]
    names = layout.stripped((name for name in header.tensors if not is_beside(name)), part.prefix)
    sources = _understood(part, lambda: layout.sources(names))
    if len({source.name for source in sources.values()}) < len(names):
        raise ModelError(f"{part.path} has a tensor twice, under two names", "Download it again, or get another file")
    return {name: (source, header, part.prefix) for name, source in sources.items()}


def _understood(part: Part, step: Callable[[], Result]) -> Result:
    """The result of a step in which a library looks at the file's names or figures. Raises ModelError if it cannot."""
    try:
        return step()
    except Exception as error:
        # They raise whatever they stumble over; all of it means the same here.
        message = f"{part.path} is damaged or of an unknown kind: {type(error).__name__}: {error}"
        raise ModelError(message, "Download it again, or get another file") from error


def _joined_config(part: Part, vace: Part) -> dict[str, Any]:
    """What a VACE module adds to a T2V transformer's config. Raises ModelError when they do not fit."""
    config = part.config
    dim = config.get("num_attention_heads", 0) * config.get("attention_head_dim", 0)
    own, theirs = (dim, config.get("ffn_dim")), (vace.config.get("dim"), vace.config.get("ffn_dim"))
    if part.kind != "transformer" or vace.kind != "vace_module" or own != theirs or config["in_channels"] != 16:
        message = f"{vace.path} ({vace.label}) does not fit {part.path} ({part.label})"
        raise ModelError(message, "Choose a VACE module and a T2V transformer of the same size")
    try:
        return vace_config(vace.config["vace_blocks"], config["num_layers"], vace.config["vace_in_channels"])
    except OddFiguresError as error:
        raise ModelError(f"{vace.path} does not fit {part.path}: {error}", "Choose a smaller VACE module") from error


def _empty(config: Mapping[str, Any]) -> torch.nn.Module:
    """The network of a config, its parameters without memory."""
    import diffusers
    import transformers
    from accelerate import init_empty_weights

    maker = CLASSES[config["_class_name"]]
    values = {key: value for key, value in config.items() if not key.startswith("_")}
    # Buffers, such as the tables of rotary positions, are made for real: no file holds them.
    with init_empty_weights(include_buffers=False):
        if maker is None:
            made: torch.nn.Module = getattr(diffusers, config["_class_name"]).from_config(values)
        else:
            made = getattr(transformers, config["_class_name"])(getattr(transformers, maker).from_dict(values))
    return made


def _piece_shape(shape: Shape, source: Source) -> Shape:
    if source.pieces == 1:
        return shape
    rows, rest = divmod(shape[0] if shape else 0, source.pieces)
    return (-1 if rest else rows, *shape[1:])


def _piece(tensor: torch.Tensor, source: Source) -> torch.Tensor:
    if source.pieces == 1:
        return tensor
    rows = tensor.shape[0] // source.pieces
    return tensor[source.piece * rows : (source.piece + 1) * rows]


def _fits(shape: Shape, needed: Shape) -> bool:
    """Whether a tensor has the shape needed, but for sides of one: some layouts keep a vector as a 1 x 1 x n block."""
    return shape == needed or [size for size in shape if size != 1] == [size for size in needed if size != 1]


def _keep_quantised(module: torch.nn.Module, wiring: _Wiring, opened: Mapping[Any, Scaled], dtype: torch.dtype) -> None:
    """Put diffusers' GGUF layers in the place of the linear layers whose weights are quantised in the file."""
    quantised = {
        name: opened[header.path][prefix + source.name]
        for name, (source, header, prefix) in wiring.sources.items()
        if header.tensors[prefix + source.name].dtype in GGUF_TYPES
    }
    if not quantised:
        return
    from diffusers import GGUFQuantizationConfig
    from diffusers.quantizers.auto import DiffusersAutoQuantizer

    quantizer = DiffusersAutoQuantizer.from_config(GGUFQuantizationConfig(compute_dtype=dtype))
    kept = list(getattr(module, "_keep_in_fp32_modules", None) or ())
    quantizer.preprocess_model(model=module, device_map=None, state_dict=quantised, keep_in_fp32_modules=kept)
    module.hf_quantizer = quantizer


def number_format(module: torch.nn.Module, name: str, wanted: torch.dtype) -> torch.dtype:
    """The number format of a weight: float32 for those that the library keeps so, as its `from_pretrained` does."""
    import diffusers
    import torch

    kept = getattr(module, "_keep_in_fp32_modules", None) or ()
    # transformers keeps them for float16 only.
    applies = isinstance(module, diffusers.ModelMixin) or wanted == torch.float16
    return torch.float32 if applies and any(part in kept for part in name.split(".")) else wanted


def _assign(module: torch.nn.Module, name: str, tensor: torch.Tensor, dtype: torch.dtype, device: str) -> None:
    from diffusers.quantizers.gguf.utils import GGUFLinear

    parent, _, leaf = name.rpartition(".")
    if is_quantised(tensor) and leaf == "weight" and isinstance(module.get_submodule(parent), GGUFLinear):
        _put(module, name, tensor.to(device))
        return
    plain = dequantised(tensor, dtype).to(device) if is_quantised(tensor) else tensor.to(device, dtype)
    _put(module, name, plain.reshape(module.get_parameter(name).shape))


def _put(module: torch.nn.Module, name: str, tensor: torch.Tensor) -> None:
    import torch

    parent, _, leaf = name.rpartition(".")
    whole = tensor if isinstance(tensor, torch.nn.Parameter) else torch.nn.Parameter(tensor, requires_grad=False)
    module.get_submodule(parent).register_parameter(leaf, whole)
