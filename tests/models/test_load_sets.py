"""Loading models of single files: the pictures are those of the same weights in diffusers' own pipelines."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import (
    UniPCMultistepScheduler,
    WanPipeline,
    WanTransformer3DModel,
    WanVACEPipeline,
    WanVACETransformer3DModel,
)
from PIL import Image
from safetensors.torch import load_file

from checkpoints import official_transformer, write_gguf, write_safetensors, write_torch
from model_sets import FIGURES, Networks, card_of, make_networks, randomised, write_files
from wan_engine.errors import ModelError
from wan_engine.families import FAMILIES, Mode, ModelCard
from wan_engine.models.folder import find_models
from wan_engine.models.load import Loader
from wan_engine.tiny import WEIGHTS

SIZES: dict[str, Any] = {"height": 16, "width": 16, "num_frames": 5, "num_inference_steps": 2, "output_type": "np"}


@pytest.fixture(scope="module")
def networks() -> Networks:
    return make_networks()


@pytest.fixture(scope="module")
def files(networks: Networks, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return write_files(tmp_path_factory.mktemp("files"), networks)


def whole(loader: Loader, card: ModelCard, mode: Mode = "t2v") -> Any:
    """The loader's pipeline with its text encoder in it."""
    pipeline = loader.pipeline(card, mode)
    pipeline.register_modules(text_encoder=loader.text_pipeline(card).text_encoder)
    return pipeline


def stock(kind: Any, tokenizer: Any, networks: Networks, transformer: Any, **more: Any) -> Any:
    scheduler = UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0)
    made = kind(
        tokenizer=tokenizer,
        text_encoder=networks.text_encoder,
        vae=networks.vae,
        scheduler=scheduler,
        transformer=transformer,
        **more,
    )
    made.set_progress_bar_config(disable=True)
    return made


@torch.no_grad()
def film(pipeline: Any, **more: Any) -> torch.Tensor:
    generator = torch.Generator().manual_seed(3)
    made = pipeline("a red square moves", negative_prompt="circle", generator=generator, **SIZES, **more)
    assert made.frames.std() > 0
    return torch.from_numpy(made.frames)


def test_a_set_of_files_makes_the_same_film(files: dict[str, Path], networks: Networks) -> None:
    pipeline = whole(Loader("cpu", "float32"), card_of(files))
    assert type(pipeline) is WanPipeline
    assert pipeline.tokenizer("a red square").input_ids == [4, 5, 6, 1]
    expected = film(stock(WanPipeline, pipeline.tokenizer, networks, networks.transformer))
    assert torch.equal(film(pipeline), expected)


def test_two_experts_are_loaded_as_such(files: dict[str, Path], networks: Networks) -> None:
    pipeline = whole(Loader("cpu", "float32"), card_of(files, "transformer_2"))
    assert pipeline.config.boundary_ratio == 0.875
    experts = {"transformer_2": networks.second, "boundary_ratio": 0.875}
    expected = film(stock(WanPipeline, pipeline.tokenizer, networks, networks.transformer, **experts))
    assert torch.equal(film(pipeline), expected)


def test_parts_are_shared_between_models(files: dict[str, Path]) -> None:
    loader = Loader("cpu", "float32")
    one, two = loader.pipeline(card_of(files), "t2v"), loader.pipeline(card_of(files, "transformer_2"), "t2v")
    for name in ("transformer", "vae", "tokenizer"):
        assert getattr(one, name) is getattr(two, name), name
    assert len([attempt for attempt in loader.attempts.take() if attempt.what.startswith("vae")]) == 1


def test_folders_of_components_beside_files(files: dict[str, Path], networks: Networks, tmp_path: Path) -> None:
    """A VAE's and a text encoder's folder in diffusers' layout, a GGUF transformer."""
    networks.vae.save_pretrained(tmp_path / "vae")
    networks.text_encoder.save_pretrained(tmp_path / "text_encoder")
    gguf = write_gguf(tmp_path / "m.gguf", official_transformer(networks.transformer.state_dict()), {})
    mixed = {**files, "vae": tmp_path / "vae", "text_encoder": tmp_path / "text_encoder", "transformer": gguf}
    pipeline = whole(Loader("cpu", "float32"), card_of(mixed))
    assert torch.equal(film(pipeline), film(whole(Loader("cpu", "float32"), card_of(files))))


def guides(count: int) -> dict[str, Any]:
    """A film to go on from: its first picture is kept."""
    video = [Image.new("RGB", (16, 16), (200, 30, 30)), *[Image.new("RGB", (16, 16), (128, 128, 128))] * (count - 1)]
    mask = [Image.new("L", (16, 16), 0), *[Image.new("L", (16, 16), 255)] * (count - 1)]
    return {"video": video, "mask": mask}


@pytest.mark.parametrize("base", ["file", "folder"])
def test_a_vace_module_on_a_t2v_model(base: str, files: dict[str, Path], networks: Networks, tmp_path: Path) -> None:
    chosen = dict(files)
    if base == "folder":
        networks.transformer.save_pretrained(tmp_path / "transformer")
        chosen["transformer"] = tmp_path / "transformer"
    pipeline = whole(Loader("cpu", "float32"), card_of(chosen, "vace", mode="vace"), "vace")
    assert type(pipeline) is WanVACEPipeline
    expected = film(stock(WanVACEPipeline, pipeline.tokenizer, networks, networks.vace), **guides(5))
    assert torch.equal(film(pipeline, **guides(5)), expected)


def test_the_embedded_vace_model() -> None:
    """The film is that of diffusers' own pipeline with the transformer as diffusers loads it."""
    (card,) = (card for card in find_models(WEIGHTS) if "vace" in card.modes)
    pipeline = whole(Loader("cpu", "float32"), card, "vace")
    made = film(pipeline, **guides(5))
    theirs = WanVACETransformer3DModel.from_pretrained(WEIGHTS / "vace/transformer", torch_dtype=torch.float32)
    for name, tensor in theirs.named_parameters():
        assert torch.equal(tensor, pipeline.transformer.get_parameter(name)), name
        # It lies in the mapped file, not aligned as fresh memory is; there sums round another way.
        tensor.data = tensor.data.clone()
    parts = {name: getattr(pipeline, name) for name in ("tokenizer", "text_encoder", "vae", "scheduler")}
    own = WanVACEPipeline(**parts, transformer=theirs.eval())
    own.set_progress_bar_config(disable=True)
    assert torch.equal(made, film(own, **guides(5)))


def test_text_encoders_come_and_go(files: dict[str, Path]) -> None:
    loader, card = Loader("cpu", "float32"), card_of(files)
    first = loader.text_pipeline(card)
    assert loader.text_pipeline(card) is first
    assert loader.text_pipeline(card_of(files, "transformer_2")).text_encoder is first.text_encoder
    embeds = first.encode_prompt("a red square", do_classifier_free_guidance=False, device="cpu")[0]
    loader.drop_text_encoder(card)
    again = loader.text_pipeline(card)
    assert again.text_encoder is not first.text_encoder
    assert torch.equal(again.encode_prompt("a red square", do_classifier_free_guidance=False, device="cpu")[0], embeds)
    loader.drop_text_encoder(replace(card, name="never loaded"))


def test_a_damaged_tokenizer_gives_way_to_another_and_is_told(files: dict[str, Path], tmp_path: Path) -> None:
    folder = tmp_path / "tokenizer"
    folder.mkdir()
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).write_text("{}")
    loader, card = Loader("cpu", "float32"), card_of({**files, "tokenizer": folder})
    assert loader.pipeline(card, "t2v").tokenizer("a red square").input_ids == [4, 5, 6, 1]
    tried = [attempt for attempt in loader.attempts.take() if attempt.what.startswith("tokenizer")]
    assert [(attempt.what, attempt.outcome) for attempt in tried] == [
        (f"tokenizer: {folder}", "failed"),
        (f"tokenizer: {files['text_encoder']}", "used"),
    ]
    assert tried[0].reason


def test_what_does_not_belong_together_is_refused_before_loading(files: dict[str, Path], tmp_path: Path) -> None:
    wide = randomised(WanTransformer3DModel(**{**FIGURES, "text_dim": 96}), 6)
    deep = randomised(WanTransformer3DModel(**{**FIGURES, "num_layers": 3}), 7)
    image = randomised(WanTransformer3DModel(**FIGURES, in_channels=36, image_dim=24, added_kv_proj_dim=256), 8)
    networks = {"wide": wide, "deep": deep, "image": image}
    path = {
        name: write_safetensors(tmp_path / f"{name}.safetensors", official_transformer(network.state_dict()))
        for name, network in networks.items()
    }
    for changed, names, message in (
        ({"transformer": path["wide"]}, (), r"d_model 64, but the transformer needs 96"),
        ({"transformer_2": path["deep"]}, ("transformer_2",), "is not the other expert"),
        ({"transformer": path["image"]}, (), "takes CLIP's picture"),
    ):
        loader = Loader("cpu", "float32")
        with pytest.raises(ModelError, match=message) as caught:
            loader.pipeline(card_of({**files, **changed}, *names), "t2v")
        assert caught.value.remedy
        assert loader.attempts.take() == ()


def test_bad_files_are_refused_and_the_loader_goes_on(files: dict[str, Path], tmp_path: Path) -> None:
    loader, state = Loader("cpu", "float32"), load_file(files["transformer"])
    spoilt = {**state, "head.head.weight": torch.full_like(state["head.head.weight"], torch.nan)}
    narrow = {**state, "blocks.1.ffn.0.bias": torch.zeros(3)}
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes(files["transformer"].read_bytes()[:-9])
    strange = {"model.diffusion_model.input_blocks.0.0.weight": torch.zeros(320, 4, 3, 3)}
    cases = {
        write_safetensors(tmp_path / "nan.safetensors", spoilt): "values that are not numbers",
        write_safetensors(tmp_path / "narrow.safetensors", narrow): r"has the shape \(3,\)",
        cut: "is cut off",
        write_torch(tmp_path / "sd.ckpt", strange): "it is Stable Diffusion",
        tmp_path / "gone.safetensors": "cannot be read|does not exist|No such file",
    }
    for path, message in cases.items():
        card = card_of({**files, "transformer": path}) if path.exists() else replace_path(card_of(files), path)
        with pytest.raises(ModelError, match=message) as caught:
            loader.pipeline(card, "t2v")
        assert str(path) in caught.value.message
        assert "\n" not in str(caught.value)
    assert any("not numbers" in each.reason for each in loader.attempts.take())
    assert type(loader.pipeline(card_of(files), "t2v")) is WanPipeline


def replace_path(card: ModelCard, path: Path) -> ModelCard:
    """The card with another transformer."""
    pairs = tuple((name, str(path) if name == "transformer" else place) for name, place in card.files)
    return replace(card, path=str(path), files=pairs, family=FAMILIES["wan-tiny"])
