"""Tells from the names and shapes in a file's header which part of a Wan model it is. Never from the file's name.

What shapes cannot tell is said, not guessed: the two experts of Wan 2.2 have equal shapes, and T2V 14B of Wan 2.1 has
the same. `Part.families` then names all that fit, and `Part.expert_hint` what the names around the file suggest.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from wan_engine.errors import ModelError
from wan_engine.families import FAMILIES
from wan_engine.models.configs import TINY_DIM, VACE_MODULES, OddFiguresError, variants_of
from wan_engine.models.convert.layout import Kind, Layout, Shape
from wan_engine.models.convert.layouts import find_layout
from wan_engine.models.headers.header import Header
from wan_engine.models.headers.read import open_header
from wan_engine.models.lora.names import diffusers_name, is_text_encoder
from wan_engine.models.precision import LAYER_FORMATS, precision_of, unreadable_format, weights_among
from wan_engine.models.strangers import is_lora, name_stranger, relative_of_wan
from wan_engine.models.tokenizer import GGUF_KIND, carries_tokenizer
from wan_engine.words import counted

_OF_LORA = re.compile(r"\.(?=lora|hada_|lokr_|oft_|boft_|diff(?:_[bm])?$|dora_|alpha)")
"""Where a LoRA's key has named its module."""
KNOWN_MODELS = "Known: " + ", ".join(family.label for family in FAMILIES.values() if family.name != "wan-tiny")


@dataclass(frozen=True)
class Part:
    """What a weight file is.

    kind: which part of a model, `other` for none of ours.  label: in words.
    families: the families it can belong to, as `families.FAMILIES` names them; several when shapes do not tell.
    layout: name in `convert.layouts.LAYOUTS`, "" for none.  prefix: what stands before all its names.
    config: of the diffusers or transformers class in its `_class_name`.  precision: as `precision_of`.
    size: bytes of its files.  expert_hint: `high` or `low` if the path or the metadata says so; a hint only.
    has_tokenizer: a text encoder's file that carries its tokenizer.
    problem, remedy: why it cannot be loaded, and what to do; "" when it can.  notes: what else is to be known.
    """

    path: Path
    kind: Kind
    label: str
    precision: str
    size: int
    format: str
    families: tuple[str, ...] = ()
    layout: str = ""
    prefix: str = ""
    config: dict[str, Any] = field(default_factory=dict)
    expert_hint: str = ""
    has_tokenizer: bool = False
    problem: str = ""
    remedy: str = ""
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The part as JSON-able values."""
        return {**asdict(self), "path": str(self.path), "families": list(self.families), "notes": list(self.notes)}

    def check(self) -> None:
        """Raises ModelError when it cannot be loaded."""
        if self.problem:
            raise ModelError(f"{self.path} cannot be used: {self.problem}", self.remedy)


@dataclass(frozen=True)
class _Finding:
    """What was found out about a file; the fields are Part's."""

    kind: Kind
    label: str
    families: tuple[str, ...] = ()
    layout: str = ""
    prefix: str = ""
    config: dict[str, Any] = field(default_factory=dict)
    problem: str = ""
    remedy: str = ""
    notes: tuple[str, ...] = ()


_ALIKE: dict[bytes, Part] = {}
"""What files of one list of tensors are: a disk has hundreds that were made alike."""
_MOST_ALIKE = 1000


def detect_file(path: Path) -> Part:
    """What a weight file is, or all shards of an index. Raises ModelError when its header cannot be read."""
    unread = open_header(path)
    if not unread.key:
        return detect(unread.read())
    # Of the metadata these say more than who made the file.
    said = "\n".join(unread.metadata.get(each, "") for each in (LAYER_FORMATS, GGUF_KIND))
    key = unread.key + said.encode("utf-8", "surrogatepass")
    known = _ALIKE.get(key)
    if known is None:
        known = detect(unread.read())
        if len(_ALIKE) >= _MOST_ALIKE:
            _ALIKE.clear()
        _ALIKE[key] = known
    hint = _expert_hint(path, unread.metadata)
    return replace(known, path=path, size=unread.size, config=deepcopy(known.config), expert_hint=hint)


def detect(header: Header) -> Part:
    """What a file with this header is. A file that cannot be used is a Part with a problem."""
    finding = _find(header)
    problem, remedy = finding.problem, finding.remedy
    if not problem and finding.kind not in ("other", "lora"):
        problem, remedy = unreadable_format(header)
    values = {**vars(finding), "problem": problem, "remedy": remedy}
    return Part(
        path=header.path,
        precision=precision_of(header),
        size=header.size,
        format=header.format,
        expert_hint=_expert_hint(header.path, header.metadata),
        has_tokenizer=carries_tokenizer(header),
        **values,
    )


def _find(header: Header) -> _Finding:
    shapes = {name: info.shape for name, info in weights_among(header.tensors).items()}
    if is_lora(shapes):
        return _lora(shapes)
    found = find_layout(shapes)
    if found is None:
        return _stranger(shapes)
    layout, prefix = found
    within = layout.stripped(shapes, prefix)
    own = {name: shapes[prefix + name] for name in within}
    unused = len(shapes) - len(own)
    notes = (f"left out, for it is of no use here: {counted(unused, 'tensor')} of the file",) if unused else ()
    relative = relative_of_wan(shapes, prefix) if layout.kind == "transformer" else ""
    if relative:
        words = f"it is {relative}, which is not supported"
        return _Finding("other", relative, problem=words, remedy=KNOWN_MODELS)
    missing = layout.missing(own)
    if missing:
        words = f"the tensor {prefix}{missing} is missing"
        return _Finding(layout.kind, _KIND_LABELS[layout.kind], problem=words, remedy=_missing_remedy(header, missing))
    try:
        config = layout.config(own)
    except OddFiguresError as error:
        label = _KIND_LABELS[layout.kind]
        return _Finding(layout.kind, label, problem=f"it looks like {label}, but {error}", remedy=KNOWN_MODELS)
    return _known(layout, prefix, config, notes)


def _lora(names: Iterable[str]) -> _Finding:
    """A LoRA for Wan if it names a module that a Wan transformer has."""
    modules = {_OF_LORA.split(name, maxsplit=1)[0] for name in names}
    if any(diffusers_name(module) and not is_text_encoder(module) for module in modules):
        return _Finding("lora", "a LoRA for Wan")
    label = "a LoRA of another model"
    remedy = "Use a LoRA that was trained for Wan 2.1 or 2.2"
    return _Finding("other", label, problem=f"it is {label}, not for Wan", remedy=remedy)


def _known(layout: Layout, prefix: str, config: dict[str, Any], notes: tuple[str, ...]) -> _Finding:
    families, label, problem = NAMERS[layout.kind](config)
    remedy = KNOWN_MODELS if problem else ""
    if len(families) > 1:
        notes = (*notes, "its shapes do not tell these models apart")
    return _Finding(layout.kind, label, families, layout.name, prefix, config, problem, remedy, notes)


def _name_transformer(config: Mapping[str, Any]) -> tuple[tuple[str, ...], str, str]:
    variants = variants_of(config)
    if variants:
        return tuple(each.family for each in variants), " or ".join(each.label for each in variants), ""
    dim = config["num_attention_heads"] * config["attention_head_dim"]
    channels = (config["in_channels"], config["out_channels"])
    if dim <= TINY_DIM and channels in ((16, 16), (36, 16), (48, 48)):
        return ("wan-tiny",), f"a small Wan transformer (dim {dim}, {config['num_layers']} layers)", ""
    figures = f"dim {dim}, {config['num_layers']} layers, {channels[0]} input channels"
    problem = f"it is a Wan transformer with {figures}, which is not supported"
    return (), f"a Wan transformer ({figures})", problem


def _name_vace(config: Mapping[str, Any]) -> tuple[tuple[str, ...], str, str]:
    families = VACE_MODULES.get((config["dim"], config["vace_blocks"]), ())
    tiny = ("wan-tiny",) if config["dim"] <= TINY_DIM else ()
    label = f"{config['vace_blocks']} VACE blocks of dim {config['dim']}, to be put on a T2V transformer"
    problem = "" if families or tiny else f"{label}: no Wan model has these"
    return families or tiny, label, problem


def _name_vae(config: Mapping[str, Any]) -> tuple[tuple[str, ...], str, str]:
    residual = config["is_residual"]
    name = "Wan 2.2 VAE, 48 channels" if residual else "Wan 2.1 VAE, 16 channels"
    problem = "" if residual == (config["z_dim"] == 48) else f"its latents have {config['z_dim']} channels"
    return ("wan2.2-vae" if residual else "wan2.1-vae",), name, problem


def _name_umt5(config: Mapping[str, Any]) -> tuple[tuple[str, ...], str, str]:
    large = (config["d_model"], config["num_layers"]) == (4096, 24)
    figures = f"width {config['d_model']}, {config['num_layers']} layers"
    return ("umt5-xxl",) if large else ("umt5",), "UMT5-XXL text encoder" if large else f"UMT5, {figures}", ""


def _name_clip(config: Mapping[str, Any]) -> tuple[tuple[str, ...], str, str]:
    large = (config["hidden_size"], config["num_hidden_layers"]) == (1280, 32)
    figures = f"width {config['hidden_size']}, {config['num_hidden_layers']} layers"
    return ("clip-vit-h",) if large else ("clip",), "OpenCLIP ViT-H/14" if large else f"CLIP vision, {figures}", ""


NAMERS: dict[str, Callable[[Mapping[str, Any]], tuple[tuple[str, ...], str, str]]] = {
    "transformer": _name_transformer,
    "vace_module": _name_vace,
    "vae": _name_vae,
    "text_encoder": _name_umt5,
    "image_encoder": _name_clip,
}
"""Families, label and problem of a part's config, by the part's kind."""

_KIND_LABELS: dict[Kind, str] = {
    "transformer": "a Wan transformer",
    "vace_module": "VACE blocks",
    "vae": "a Wan VAE",
    "text_encoder": "a UMT5 text encoder",
    "image_encoder": "a CLIP vision encoder",
}


def _stranger(shapes: Mapping[str, Shape]) -> _Finding:
    label = name_stranger(shapes)
    if label:
        return _Finding("other", label, problem=f"it is {label}, not a part of a Wan model", remedy=KNOWN_MODELS)
    example = min(shapes, default="")
    words = f"its tensors, such as {example[:120]!r}, are of no model the engine knows" if example else "it is empty"
    return _Finding("other", "unknown", problem=words, remedy=KNOWN_MODELS)


def _missing_remedy(header: Header, missing: str) -> str:
    if header.format == "gguf" and missing == "patch_embedding.weight":
        return "The file was converted without its 5-dimensional tensors; get a complete one"
    return "Download this file again, all of it if it has several shards"


_HINTS = (("high", re.compile(r"high[-_ ]?noise|(?<![a-z])high(?![a-z])|(?<![a-z])hn(?![a-z])")),
          ("low", re.compile(r"low[-_ ]?noise|(?<![a-z])low(?![a-z])|(?<![a-z])ln(?![a-z])")))  # fmt: skip


def without_expert(text: str) -> str:
    """A name in small letters with a star for what says high or low noise: the same for both experts of a model."""
    text = text.lower()
    for _, pattern in _HINTS:
        text = pattern.sub("*", text)
    return text


def _expert_hint(path: Path, metadata: Mapping[str, str]) -> str:
    """What the file's name, its folder's or its metadata says of the expert; "" for nothing or both."""
    titles = [metadata.get(key, "") for key in ("general.name", "modelspec.title")]
    for text in (path.name, path.parent.name, *titles):
        said = [name for name, pattern in _HINTS if pattern.search(text.lower())]
        if len(said) == 1:
            return said[0]
    return ""
