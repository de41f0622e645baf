"""The official names of the Wan 2.1 VAE, as in Wan2.1_VAE.pth and ComfyUI's wan_2.1_vae.safetensors."""

from __future__ import annotations

from collections.abc import Iterable

from wan_engine.models.convert.layout import Layout, Source

ENDS = {
    "encoder_in": "encoder.conv1.weight",
    "latent": "conv2.weight",
    "decoder_in": "decoder.conv1.weight",
    "decoder_out": "decoder.head.2.weight",
}


class OfficialVae21(Layout):
    """The names of `wan/modules/vae.py`."""

    def sources(self, names: Iterable[str]) -> dict[str, Source]:
        """As `Layout.sources`. The names are diffusers' converter's work; it renames whatever the values are."""
        from diffusers.loaders.single_file_utils import convert_wan_vae_to_diffusers

        renamed: dict[str, str] = convert_wan_vae_to_diffusers({name: name for name in names})
        return {ours: Source(theirs) for ours, theirs in renamed.items()}


OFFICIAL_VAE21 = OfficialVae21(
    name="official-vae2.1",
    label="Wan's own names",
    kind="vae",
    prefixes=("", "model.", "vae.", "first_stage_model."),
    signs=("encoder.downsamples.0.residual.2.weight", "decoder.middle.0.residual.0.gamma", "conv2.weight"),
    landmarks=ENDS,
    blocks=(),
)
