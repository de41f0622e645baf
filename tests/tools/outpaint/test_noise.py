"""The noise canvas: decoded by a FLUX VAE where one is there, else by the model's own, and said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from wan_engine.errors import InputError
from wan_engine.families import Lineup
from wan_engine.models.lineup import lineup
from wan_engine.settings import Settings
from wan_engine.settings_outpaint import OutpaintSettings
from wan_engine.tiny import WEIGHTS
from wan_engine.tools.outpaint.geometry import Layout, lay_out
from wan_engine.tools.outpaint.noise import COUNT, noise_maker


@pytest.fixture(scope="module")
def models() -> Lineup:
    return lineup(Settings(), WEIGHTS)


@pytest.fixture
def layout() -> Layout:
    return lay_out((64, 48), OutpaintSettings(right=25), 16)


@pytest.fixture(scope="module")
def flux(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A VAE of FLUX's kind with random weights, in a folder as the download has it."""
    from diffusers import AutoencoderKL

    folder = tmp_path_factory.mktemp("flux") / "flux-fill-vae"
    blocks = {"down_block_types": ("DownEncoderBlock2D",) * 4, "up_block_types": ("UpDecoderBlock2D",) * 4}
    vae = AutoencoderKL(
        **blocks,
        block_out_channels=(4, 4, 8, 8),
        norm_num_groups=2,
        latent_channels=16,
        scaling_factor=0.3611,
        shift_factor=0.1159,
        use_quant_conv=False,
        use_post_quant_conv=False,
    )
    vae.save_pretrained(folder / "vae")
    return folder


def test_the_models_own_vae_is_taken_and_said(models: Lineup, layout: Layout, tmp_path: Path) -> None:
    maker = noise_maker(OutpaintSettings(seed=4), models.card("vace"))
    assert "by the VAE of Wan-Tiny, for the FLUX Fill VAE is not here" in maker.note()
    pictures = maker.pictures(layout, tmp_path)
    assert len(pictures) == COUNT
    assert {picture.shape for picture in pictures} == {(48, 80, 3)}
    assert all(picture.std() > 5 for picture in pictures)
    assert not np.array_equal(pictures[0], pictures[1])
    # What was drawn before is taken again, whatever would be drawn now.
    other = noise_maker(OutpaintSettings(seed=5), models.card("vace"))
    assert np.array_equal(other.pictures(layout, tmp_path)[0], pictures[0])


def test_the_flux_vae_is_found_where_downloads_go(models: Lineup, layout: Layout, flux: Path, tmp_path: Path) -> None:
    for settings in (
        OutpaintSettings(seed=4, model_dirs=str(flux.parent)),
        OutpaintSettings(seed=4, noise_vae=str(flux / "vae")),
    ):
        maker = noise_maker(settings, models.card("vace"))
        assert str(flux / "vae") in maker.note()
    assert maker.pictures(layout, tmp_path)[0].shape == (48, 80, 3)


def test_a_folder_without_a_vae_is_told(models: Lineup, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no config\.json of a VAE"):
        noise_maker(OutpaintSettings(noise_vae=str(tmp_path)), models.card("vace"))
