"""The noise canvas: pictures decoded from random latents by the FLUX Fill VAE, or by the model's own VAE."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wan_engine.errors import InputError, Problem
from wan_engine.families import ModelCard
from wan_engine.home import state_home
from wan_engine.media.pictures import read_picture, write_png
from wan_engine.models.downloads.table import TABLE
from wan_engine.models.load_component import Wanted, load_network
from wan_engine.models.model_set import open_model
from wan_engine.models.quiet import quiet_libraries
from wan_engine.setting_spec import path_lines
from wan_engine.settings_outpaint import OutpaintSettings
from wan_engine.tools.outpaint.geometry import Layout

if TYPE_CHECKING:
    import torch

    from wan_engine.media.picture import Picture

COUNT = 5
"""Pictures that are shown one after the other, as many as the toolkit's batches have."""
_FLUX_CHANNELS, _FLUX_STRIDE = 16, 8


@dataclass(frozen=True)
class NoiseMaker:
    """Which VAE decodes the noise. flux: folder of the FLUX Fill VAE; None takes the one of the model `card`.

    count: of pictures.
    """

    flux: Path | None
    card: ModelCard
    seed: int
    count: int = COUNT

    def note(self) -> str:
        """For the job: what the canvas is made with."""
        if self.flux is not None:
            return f"The noise canvas is decoded by the FLUX VAE in {self.flux}"
        return f"The noise canvas is decoded by the VAE of {self.card.name}, for the FLUX Fill VAE is not here"

    def pictures(self, layout: Layout, folder: Path) -> Sequence[Picture]:
        """The pictures, of the model's size; those of an earlier run lie in `folder`. Raises ModelError."""
        files = [folder / f"noise_{number}.png" for number in range(self.count)]
        if not all(file.is_file() for file in files):
            for file, picture in zip(files, self._made(layout), strict=True):
                write_png(file, picture)
        return [read_picture(file, layout.work_width, layout.work_height, "stretch") for file in files]

    def _made(self, layout: Layout) -> list[Picture]:
        import torch

        quiet_libraries()
        generator = torch.Generator("cpu").manual_seed(self.seed)
        size = (layout.work_height, layout.work_width)
        with torch.no_grad():
            decode = self._flux_decoder(self.flux) if self.flux is not None else self._own_decoder()
            return [_picture(decode(generator, size)) for _ in range(self.count)]

    def _flux_decoder(self, folder: Path) -> Any:
        import torch
        from diffusers import AutoencoderKL

        vae = AutoencoderKL.from_pretrained(folder, local_files_only=True)

        def decode(generator: torch.Generator, size: tuple[int, int]) -> torch.Tensor:
            shape = (1, _FLUX_CHANNELS, size[0] // _FLUX_STRIDE, size[1] // _FLUX_STRIDE)
            latents = torch.randn(shape, generator=generator) / vae.config.scaling_factor
            decoded: torch.Tensor = vae.decode(latents + (vae.config.shift_factor or 0), return_dict=False)[0]
            return decoded[0]

        return decode

    def _own_decoder(self) -> Any:
        import torch

        vae: Any = load_network(Wanted("vae", open_model(self.card).components["vae"], "float32"))
        stride = vae.config.scale_factor_spatial
        mean, std = (
            torch.tensor(values).view(1, -1, 1, 1, 1) for values in (vae.config.latents_mean, vae.config.latents_std)
        )

        def decode(generator: torch.Generator, size: tuple[int, int]) -> torch.Tensor:
            shape = (1, vae.config.z_dim, 1, size[0] // stride, size[1] // stride)
            latents = torch.randn(shape, generator=generator) * std + mean
            decoded: torch.Tensor = vae.decode(latents, return_dict=False)[0]
            return decoded[0, :, 0]

        return decode


def _picture(decoded: torch.Tensor) -> Picture:
    """A picture of what a VAE decoded, (3, height, width) from -1 to 1."""
    levels = ((decoded.clamp(-1, 1) + 1) * 127.5).round().byte()
    picture: Picture = levels.permute(1, 2, 0).contiguous().numpy()
    return picture


def noise_maker(settings: OutpaintSettings, card: ModelCard) -> NoiseMaker:
    """The VAE of the settings, else the downloaded FLUX Fill VAE, else the model's own. Raises InputError."""
    if settings.noise_vae.strip():
        folder = _vae_folder(Path(settings.noise_vae).expanduser())
        if folder is None:
            message = f"{settings.noise_vae} holds no config.json of a VAE"
            raise InputError(Problem(message, "Give the folder of the FLUX Fill VAE", field="noise_vae"))
        return NoiseMaker(folder, card, settings.seed)
    roots = [*(Path(line).expanduser() for line in path_lines(settings.model_dirs)), state_home() / "models"]
    found = (_vae_folder(root / TABLE["flux-fill-vae"].place) for root in roots)
    return NoiseMaker(next(filter(None, found), None), card, settings.seed)


def _vae_folder(place: Path) -> Path | None:
    """Where the VAE lies: in the folder itself, or in its folder `vae` as in a whole model."""
    for folder in (place, place / "vae"):
        if (folder / "config.json").is_file():
            return folder
    return None
