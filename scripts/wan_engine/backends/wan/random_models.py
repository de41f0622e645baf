"""Models of the published sizes with random weights: speed and memory do not depend on what the weights are.

Nothing is read from disk but the embedded model's tokenizer. Their pictures are noise.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from wan_engine.backends.wan.random_packed import pack, packed_size
from wan_engine.errors import CapabilityError
from wan_engine.families import Mode, ModelCard
from wan_engine.models.attempts import Attempts
from wan_engine.models.configs import VARIANTS, Shapes, clip_config, published_config, umt5_config, vae_config
from wan_engine.models.devices import component_dtype
from wan_engine.models.load_component import load_image_processor
from wan_engine.models.memory.needs import Table, Weights, in_fp8, weights_in
from wan_engine.models.memory.place import Placer
from wan_engine.models.pipelines import KINDS, build_text_pipeline
from wan_engine.models.quiet import quiet_libraries
from wan_engine.models.single_file import number_format
from wan_engine.models.tokenizer import load_tokenizer
from wan_engine.models.weights import is_quantised
from wan_engine.tiny import WEIGHTS

if TYPE_CHECKING:
    import torch

FAMILIES_OFFERED = tuple(variant.family for variant in VARIANTS if "fun" not in variant.family)
"""The families whose modes the engine renders."""
BOUNDARY = 0.875
"""Where the second expert takes over: `wan/configs` of Wan 2.2 T2V A14B. I2V's 0.9 needs no other memory."""

_UMT5_XXL: Shapes = {"bias": (32, 64), "words": (256384, 4096), "query": (4096, 4096), "gate": (10240, 4096)}
_CLIP_H: Shapes = {"positions": (257, 1280), "patch": (1280, 3, 14, 14), "ffn": (5120, 1280)}
_VAE_21: Shapes = {
    "encoder_in": (96, 3, 3, 3, 3),
    "decoder_in": (384, 16, 3, 3, 3),
    "decoder_out": (3, 96, 3, 3, 3),
    "latent": (16, 16, 1, 1, 1),
}
_VAE_22: Shapes = {
    "encoder_in": (160, 12, 3, 3, 3),
    "decoder_in": (1024, 48, 3, 3, 3),
    "decoder_out": (12, 256, 3, 3, 3),
    "latent": (48, 48, 1, 1, 1),
}
_CLIP_PIXELS = 224
_FILL = 1 << 20


class RandomModels:
    """One family's networks, made when they are first needed and kept for every loader that asks.

    family: of FAMILIES_OFFERED.  layers, text_layers: fewer than published, for a look at what one layer needs.
    packing: of PACKINGS, the transformers' blocks as GGUF files of that type hold them; "" leaves them plain.
    Raises CapabilityError for another family.
    """

    def __init__(self, family: str, layers: int | None = None, text_layers: int = 24, packing: str = "") -> None:
        found = [variant for variant in VARIANTS if variant.family == family and family in FAMILIES_OFFERED]
        if not found:
            known = ", ".join(FAMILIES_OFFERED)
            raise CapabilityError(f'there is no random model of the family "{family}"', f"Known: {known}")
        self.variant = found[0]
        self._layers = layers or self.variant.layers
        self._text_layers = text_layers
        self._packing = packing
        self._made: dict[str, Any] = {}

    @property
    def experts(self) -> tuple[str, ...]:
        """The names of its transformers."""
        return ("transformer", "transformer_2") if "a14b" in self.variant.family else ("transformer",)

    def network(self, name: str, device: str, dtype: str) -> Any:
        """A component by name, on the device if it was not made before. dtype: of its numbers, as torch names it."""
        if name not in self._made:
            self._made[name] = self._make(name, device, dtype)
        return self._made[name]

    def rest(self) -> None:
        """Leave the device empty: forget what is on it, for making it anew is faster than moving it away."""
        self._made = {name: each for name, each in self._made.items() if next(each.parameters()).device.type == "cpu"}

    def forget(self) -> None:
        """Let all networks go."""
        self._made.clear()

    def weigh(self, cards: Sequence[ModelCard], dtype: str, on_cpu: bool, fp8: bool) -> Weights:
        """The sizes of the networks, counted without making them. cards: not looked at."""
        names = [*self.experts, "text_encoder", "vae", *(["image_encoder"] if self.variant.image else [])]
        sizes = {"text_encoder": 4 if on_cpu else 2, "vae": 4, "image_encoder": 4}
        wide = 4 if dtype == "float32" else 2
        tables: dict[str, list[Table]] = {}
        staged = 0
        for name in names:
            packing = self._packing if name.startswith("transformer") else ""
            table: Table = {
                key: packed_size(key, tuple(weight.shape), packing) or weight.numel() * sizes.get(name, wide)
                for key, weight in _on_meta(self._maker(name)).named_parameters()
            }
            if fp8 and name.startswith("transformer"):
                staged, table = max(staged, sum(table.values())), in_fp8(table, wide)
            tables.setdefault(name.removesuffix("_2"), []).append(table)
        weights = weights_in(tables, {"transformer": [self._transformer_config()], "vae": [self._vae_config()]})
        return replace(weights, staged=staged)

    def fingerprints(self, card: ModelCard) -> tuple[str, str]:
        """Names for the random text encoder and its tokenizer. card: not looked at."""
        return "random", "random"

    def _make(self, name: str, device: str, dtype: str) -> Any:
        import torch

        quiet_libraries()
        number: torch.dtype = getattr(torch, dtype)
        if name in ("vae", "image_encoder"):  # small, and with buffers that are not random
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(0)  # the same under every profile
                return self._maker(name)().to(device, number).eval().requires_grad_(False)
        network = _on_meta(self._maker(name)).to(number)
        for key, parameter in network.named_parameters():
            parameter.data = parameter.data.to(number_format(network, key, number))
        if self._packing and name.startswith("transformer"):
            pack(network, self._packing, device, number)
        _give_memory(network, device)
        if name == "text_encoder":
            network.encoder.embed_tokens.weight = network.shared.weight
        else:
            rope = network.rope
            network.rope = type(rope)(rope.attention_head_dim, rope.patch_size, rope.max_seq_len).to(device)
        _fill(network)
        return network.eval().requires_grad_(False)

    def _maker(self, name: str) -> Callable[[], Any]:
        import diffusers
        import transformers

        if name.startswith("transformer"):
            config = _values(self._transformer_config())
            made = diffusers.WanVACETransformer3DModel if self.variant.vace else diffusers.WanTransformer3DModel
            return lambda: made(**config)
        if name == "vae":
            config = self._vae_config()
            return lambda: diffusers.AutoencoderKLWan(**config)
        if name == "image_encoder":
            config = _values(clip_config(_CLIP_H, 32))
            return lambda: transformers.CLIPVisionModel(transformers.CLIPVisionConfig(**config))
        config = _values(umt5_config(_UMT5_XXL, self._text_layers))
        return lambda: transformers.UMT5EncoderModel(transformers.UMT5Config(**config))

    def _transformer_config(self) -> dict[str, Any]:
        config = published_config(replace(self.variant, layers=self._layers))
        return config | ({"image_dim": _CLIP_H["positions"][1]} if self.variant.image else {})

    def _vae_config(self) -> dict[str, Any]:
        second = self.variant.out_channels == 48
        return _values(vae_config(_VAE_22 if second else _VAE_21, residual=second))


class RandomLoader:
    """A loader (see `parts.ModelLoader`) that gives pipelines of random networks. mode and card are not looked at."""

    def __init__(self, models: RandomModels, device: str, dtype: str, placer: Placer) -> None:
        self.device = device
        self.dtype = dtype
        self.attempts = Attempts()
        self._models = models
        self._placer = placer
        self._pipelines: dict[str, Any] = {}
        self._text: Any = None

    def pipeline(self, card: ModelCard, mode: Mode) -> Any:
        """The pipeline of a mode, without a text encoder."""
        import diffusers

        kind = KINDS[mode]
        if kind.name not in self._pipelines:
            names = [*self._models.experts, "vae", *(["image_encoder"] if self._models.variant.image else [])]
            parts: dict[str, Any] = dict.fromkeys(kind.parts)
            parts |= {name: self._network(name) for name in names if name in parts}
            if "image_encoder" in parts:
                parts["image_processor"] = load_image_processor(None, _CLIP_PIXELS)
            parts["scheduler"] = diffusers.UniPCMultistepScheduler(flow_shift=3.0, use_flow_sigmas=True)
            boundary = BOUNDARY if len(self._models.experts) > 1 else None
            expand = self._models.variant.out_channels == 48
            every = {"boundary_ratio": boundary, "expand_timesteps": expand}
            options = {option: every[option] for option in kind.options}
            pipeline = getattr(diffusers, kind.name)(text_encoder=None, **parts, **options)
            self._pipelines[kind.name] = pipeline
        return self._pipelines[kind.name]

    def text_pipeline(self, card: ModelCard) -> Any:
        """A pipeline with the embedded model's tokenizer and a random text encoder."""
        if self._text is None:
            self._text = build_text_pipeline(load_tokenizer(WEIGHTS / "tokenizer"), self._network("text_encoder"))
        return self._text

    def drop_text_encoder(self, card: ModelCard) -> None:
        """Forget it, and take it off the device; its maker keeps it in main memory."""
        if self._text is not None:
            self._placer.leave(self._text.text_encoder)
        self._text = None

    def close(self) -> None:
        """Forget the pipelines; the maker keeps the networks."""
        self._pipelines.clear()
        self._text = None

    def _network(self, name: str) -> Any:
        dtype = component_dtype(name, self.device, self.dtype)
        network = self._models.network(name, self._placer.reads_to(name), dtype)
        self._placer.place(name, network)
        return network


def _on_meta(make: Callable[[], Any]) -> Any:
    """A network without memory for its weights."""
    import torch

    with torch.device("meta"):
        return make()


def _give_memory(network: torch.nn.Module, device: str) -> None:
    """Memory on the device for every weight that has none."""
    import torch

    for name, parameter in list(network.named_parameters()):
        if parameter.is_meta:
            parent, _, leaf = name.rpartition(".")
            made = torch.nn.Parameter(torch.empty_like(parameter, device=device), requires_grad=False)
            network.get_submodule(parent).register_parameter(leaf, made)


def _fill(network: torch.nn.Module) -> None:
    """Small random numbers, and ones where they multiply. Drawn once and repeated: 14 billion take minutes on a CPU."""
    import torch

    generator = torch.Generator().manual_seed(0)
    drawn = torch.randn(_FILL, generator=generator) * 0.02
    for name, parameter in network.named_parameters():
        if is_quantised(parameter):
            continue  # filled when it was packed
        if "norm" in name and name.endswith("weight"):
            torch.nn.init.ones_(parameter)
            continue
        block = drawn.to(parameter.device, parameter.dtype)
        with torch.no_grad():
            flat = parameter.view(-1)
            for start in range(0, len(flat), _FILL):
                part = flat[start : start + _FILL]
                part.copy_(block[: len(part)])


def _values(config: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in config.items() if not name.startswith("_")}
