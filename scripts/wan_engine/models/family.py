"""Tells from a model's configs which family it is and what its weights were trained for. Names are never looked at."""

from __future__ import annotations

from dataclasses import dataclass, replace

from wan_engine.errors import ModelError
from wan_engine.families import FAMILIES, Family, Mode
from wan_engine.models.source import ModelSource

_KINDS = ("WanTransformer3DModel", "WanVACETransformer3DModel")
_TINY_DIM = 1024
_FLF2V_TOKENS = 514


@dataclass(frozen=True)
class _Shape:
    """What of a transformer's config tells the family. Numbers as in diffusers' WanTransformer3DModel.

    vace: whether it is a WanVACETransformer3DModel.
    """

    dim: int
    layers: int
    in_channels: int
    image_dim: int | None
    pos_embed_seq_len: int | None
    experts: int
    expand_timesteps: bool
    vace: bool

    def words(self) -> str:
        """The figures, for messages."""
        image = f", image_dim {self.image_dim}" if self.image_dim else ""
        kind = "VACE, " if self.vace else ""
        size = f"{kind}dim {self.dim}, {self.layers} layers, {self.in_channels} input channels{image}"
        return f"{size}, {self.experts} experts"


def _shape(source: ModelSource) -> _Shape:
    config = source.config("transformer")
    where = source.config_file("transformer")
    kind = config.get("_class_name")
    if kind not in _KINDS:
        remedy = "Use a Wan T2V, I2V, FLF2V, TI2V or VACE model"
        raise ModelError(f"{where} is a {kind}, which is not supported", remedy)
    try:
        return _Shape(
            dim=int(config["num_attention_heads"]) * int(config["attention_head_dim"]),
            layers=int(config["num_layers"]),
            in_channels=int(config["in_channels"]),
            image_dim=config.get("image_dim"),
            pos_embed_seq_len=config.get("pos_embed_seq_len"),
            experts=2 if "transformer_2" in source.components else 1,
            expand_timesteps=source.expand_timesteps,
            vace=kind == _KINDS[1] or "vace" in source.components,
        )
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise ModelError(f"{where} is damaged: {error!r}", "Download this file again") from error


def _modes(shape: _Shape) -> tuple[Mode, ...]:
    """What weights of this shape were trained for; empty for none of ours."""
    if shape.vace:
        return ("vace",) if shape.in_channels == 16 else ()
    if shape.expand_timesteps:
        return ("t2v", "i2v")
    if shape.in_channels == 16:
        return ("t2v",)
    if shape.in_channels != 36:
        return ()
    if shape.pos_embed_seq_len is not None:
        return ("flf2v",)
    return ("i2v",) if shape.image_dim is not None else ("i2v", "flf2v")


def family_of(source: ModelSource) -> tuple[Family, tuple[Mode, ...]]:
    """The family and the modes. The published sizes are those of the models' own configs. Raises ModelError."""
    shape = _shape(source)
    modes = _modes(shape)
    latent = _check_vae(source, shape)
    size = (shape.dim, shape.layers, shape.in_channels, shape.experts)
    image = shape.image_dim is not None
    name = {
        (1536, 30, 16, 1): "wan2.1-vace-1.3b" if shape.vace else "wan2.1-t2v-1.3b",
        (5120, 40, 16, 1): "wan2.1-vace-14b" if shape.vace else "wan2.1-t2v-14b",
        (1536, 30, 36, 1): "wan2.1-fun-inp-1.3b" if image else "",
        (5120, 40, 16, 2): "wan2.2-vace-fun-a14b" if shape.vace else "wan2.2-t2v-a14b",
        (5120, 40, 36, 1): "wan2.1-i2v-14b" if image else "",
        (5120, 40, 36, 2): "" if image else "wan2.2-i2v-a14b",
        (3072, 30, 48, 1): "wan2.2-ti2v-5b" if shape.expand_timesteps else "",
    }.get(size, "wan-tiny" if shape.dim <= _TINY_DIM else "")
    if name == "wan2.1-i2v-14b" and shape.pos_embed_seq_len == _FLF2V_TOKENS:
        name = "wan2.1-flf2v-14b"
    if not name or not modes:
        families = ", ".join(family.label for family in FAMILIES.values())
        message = f"{source.path} is no Wan model this engine knows: its transformer has {shape.words()}"
        raise ModelError(message, f"Known families: {families}")
    family = FAMILIES[name]
    if name == "wan-tiny":
        family = replace(family, size_multiple=max(family.size_multiple, 2 * latent))
    return family, modes


def _check_vae(source: ModelSource, shape: _Shape) -> int:
    """Pixels a latent is wide, after checking that the VAE's latents are what the transformer takes."""
    config = source.config("vae")
    channels, stride = config.get("z_dim", 16), config.get("scale_factor_spatial", 8)
    # 36 input channels are 16 of latents, 16 of the condition and 4 of its mask.
    wanted = 16 if shape.in_channels == 36 else shape.in_channels
    where = source.config_file("vae")
    if channels != wanted:
        message = f"{where} has latents of {channels} channels, but the transformer takes {wanted}"
        raise ModelError(message, "Use the VAE that was published with this model")
    if stride not in (8, 16):
        raise ModelError(f"{where} has scale_factor_spatial {stride!r}", "Wan's VAEs have 8 or 16")
    return int(stride)
