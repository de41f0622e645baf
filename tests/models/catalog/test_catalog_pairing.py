"""What is put together from single files of the published sizes, what is missing, and what is not guessed."""

from __future__ import annotations

from pathlib import Path

import pytest

import model_files
from model_files import write_sparse
from wan_engine.errors import ModelError
from wan_engine.models.catalog.pairing import ModelSet, all_sets, make_set
from wan_engine.models.catalog.places import Place
from wan_engine.models.catalog.stock import Stock, take_stock

HIGH = "wan2.2_t2v_high_noise_14B_fp16.safetensors"
LOW = "wan2.2_t2v_low_noise_14B_fp16.safetensors"


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """ComfyUI's folder of models with the parts that most films need."""
    folder = tmp_path / "models"
    write_sparse(folder / "vae" / "wan_2.1_vae.safetensors", model_files.vae())
    write_sparse(folder / "text_encoders" / "umt5.safetensors", {**model_files.umt5(), "spiece_model": (4_548_313,)})
    return folder


def stock_of(folder: Path) -> Stock:
    return take_stock([Place(folder)])


def sets_of(folder: Path) -> dict[str, ModelSet]:
    return {made.name: made for made in all_sets(stock_of(folder))}


def put(folder: Path, name: str, kind: str = "t2v-14b", vace: bool = False) -> Path:
    return write_sparse(folder / "diffusion_models" / name, model_files.transformer(kind, vace))


def test_a_transformer_finds_its_parts(models: Path) -> None:
    path = put(models, "anything.safetensors", "t2v-1.3b")
    made = sets_of(models)["anything"]
    assert made.card is not None
    assert (made.card.family.name, made.card.modes) == ("wan2.1-t2v-1.3b", frozenset({"t2v"}))
    files = dict(made.card.files)
    assert {name: Path(file).name for name, file in files.items()} == {
        "transformer": "anything.safetensors",
        "vae": "wan_2.1_vae.safetensors",
        "text_encoder": "umt5.safetensors",
        "tokenizer": "umt5.safetensors",
    }
    assert made.card.path == files["transformer"] == str(path)
    assert "VAE" in made.card.notes[0]
    assert "wan_2.1_vae" in made.card.notes[0]


def test_what_is_missing_is_named_with_its_source(tmp_path: Path) -> None:
    path = put(tmp_path, "a.safetensors", "ti2v-5b")
    made = sets_of(tmp_path)["a"]
    assert made.card is None
    assert [each.component for each in made.missing] == ["vae", "text_encoder"]
    with pytest.raises(ModelError) as caught:
        made.usable("model")
    for words in (str(path), "Wan 2.2 VAE", "wan2.2_vae.safetensors", "UMT5-XXL", "umt5_xxl_fp16"):
        assert words in caught.value.message
    # One line for the file, one for each part, one for each source.
    assert len(caught.value.message.splitlines()) == 1 + 2 + 1 + 3
    assert "wan-engine models download wan2.2-vae umt5-xxl-fp16" in caught.value.remedy


def test_i2v_of_wan_21_needs_its_image_encoder(models: Path) -> None:
    put(models, "i2v.safetensors", "i2v-14b")
    assert [each.component for each in sets_of(models)["i2v"].missing] == ["image_encoder"]
    write_sparse(models / "clip_vision" / "clip.safetensors", model_files.CLIP)
    card = sets_of(models)["i2v"].card
    assert card is not None
    assert card.family.name == "wan2.1-i2v-14b"


def test_the_experts_are_told_by_names_that_go_together(models: Path) -> None:
    put(models, HIGH)
    put(models, LOW)
    put(models, "another_high_noise.safetensors")
    put(models, "another_low_noise.safetensors")
    found = sets_of(models)
    assert sorted(found) == ["another_high_noise", HIGH.removesuffix(".safetensors")]
    for made in found.values():
        assert made.card is not None
        assert made.card.family.name == "wan2.2-t2v-a14b"
        assert made.parts["transformer_2"].path.name == made.parts["transformer"].path.name.replace("high", "low")
    assert len(found["another_high_noise"].others["transformer_2"]) == 1


def test_the_low_expert_names_the_same_model(models: Path) -> None:
    high, low = put(models, HIGH), put(models, LOW)
    stock = stock_of(models)
    part = stock.at(low)
    assert part is not None
    made = make_set(part, stock)
    assert made.path == low
    assert (made.parts["transformer"].path, made.parts["transformer_2"].path) == (high, low)


def test_an_expert_alone_is_not_complete(models: Path) -> None:
    put(models, LOW)
    (made,) = sets_of(models).values()
    assert made.card is None
    assert [each.component for each in made.missing] == ["transformer"]
    assert "the expert for high noise" in made.missing[0].words()
    assert "wan2.2_t2v_high_noise" in made.missing[0].words()


def test_what_names_do_not_tell_is_asked_not_guessed(models: Path) -> None:
    put(models, "x_high.safetensors")
    put(models, "a_low.safetensors")
    put(models, "b_low.safetensors")
    made = sets_of(models)["x_high"]
    assert made.card is None
    assert "a_low.safetensors, b_low.safetensors" in made.missing[0].words()
    for name in ("i2v_one", "i2v_two"):
        put(models, f"{name}.safetensors", "i2v-a14b")
    assert "nothing says whether" in sets_of(models)["i2v_one"].missing[0].words()


def test_t2v_14b_without_a_hint_is_wan_21_and_said_to_be_taken_so(models: Path) -> None:
    put(models, "t2v_14B.safetensors")
    put(models, LOW)
    card = sets_of(models)["t2v_14B"].card
    assert card is not None
    assert card.family.name == "wan2.1-t2v-14b"
    assert any("is taken as Wan 2.1 T2V 14B" in note for note in card.notes)


def test_metadata_tells_an_expert(models: Path) -> None:
    shapes = model_files.transformer("i2v-a14b")
    for number, noise in ((1, "HighNoise"), (2, "LowNoise")):
        path = models / "diffusion_models" / f"{number}.safetensors"
        write_sparse(path, shapes, **{"modelspec.title": f"Wan2.2 I2V A14B {noise}"})
    (made,) = sets_of(models).values()
    assert made.parts["transformer"].path.name == "1.safetensors"
    assert made.parts["transformer_2"].path.name == "2.safetensors"


def test_named_experts_must_go_together(models: Path) -> None:
    paths = [put(models, HIGH), put(models, LOW), put(models, "other.safetensors", "t2v-1.3b")]
    stock = stock_of(models)
    high, low, other = (stock.at(path) for path in paths)
    assert high
    assert low
    assert other
    assert make_set(high, stock, {"transformer_2": low}).card is not None
    for first, second, words in (
        (low, high, "Exchange"),
        (high, other, "not of the same model"),
        (high, high, "itself"),
    ):
        with pytest.raises(ModelError) as caught:
            make_set(first, stock, {"transformer_2": second})
        assert words in f"{caught.value.message} {caught.value.remedy}"


def test_vace_blocks_are_put_on_the_transformer_they_fit(models: Path) -> None:
    module = put(models, "vace_14B.safetensors", "t2v-14b", vace=True)
    put(models, "small.safetensors", "t2v-1.3b")
    assert [each.component for each in sets_of(models)["vace_14B"].missing] == ["transformer"]
    put(models, "t2v_14B.safetensors")
    put(models, HIGH)
    made = sets_of(models)["vace_14B"]
    assert made.card is not None
    assert (made.card.family.name, made.card.modes) == ("wan2.1-vace-14b", frozenset({"vace"}))
    assert made.parts["transformer"].path.name == "t2v_14B.safetensors"
    assert made.card.path == str(module)
    stock = stock_of(models)
    small, blocks = stock.at(models / "diffusion_models" / "small.safetensors"), stock.at(module)
    assert small
    assert blocks
    with pytest.raises(ModelError, match="does not fit"):
        make_set(small, stock, {"vace": blocks})


def test_the_nearest_part_wins_then_the_more_precise(models: Path, tmp_path: Path) -> None:
    put(models, "a.safetensors", "t2v-1.3b")
    vae = model_files.vae()
    far = write_sparse(tmp_path / "elsewhere" / "vae" / "best.safetensors", vae, "F32")
    precise = write_sparse(models / "vae" / "wan_fp32.safetensors", vae, "F32")
    made = {each.name: each for each in all_sets(stock_of(tmp_path))}["a"]
    assert made.parts["vae"].path == precise
    assert [path.name for path in made.others["vae"]] == ["wan_2.1_vae.safetensors", far.name]
    beside = write_sparse(models / "diffusion_models" / "own_vae.safetensors", vae)
    assert sets_of(models)["a"].parts["vae"].path == beside


def test_an_official_release_is_one_model(tmp_path: Path) -> None:
    folder = tmp_path / "Wan2.2-T2V-A14B"
    for noise in ("high", "low"):
        path = folder / f"{noise}_noise_model" / "diffusion_pytorch_model.safetensors"
        write_sparse(path, model_files.transformer("t2v-14b"))
        (path.parent / "config.json").write_text('{"_class_name": "WanModel", "model_type": "t2v", "dim": 5120}')
    write_sparse(folder / "Wan2.1_VAE.pth", model_files.vae())
    write_sparse(folder / "models_t5_umt5-xxl-enc-bf16.safetensors", model_files.umt5())
    tokenizer = folder / "google" / "umt5-xxl"
    (made,) = sets_of(folder).values()
    assert [each.component for each in made.missing] == ["tokenizer"]
    tokenizer.mkdir(parents=True)
    for name in ("tokenizer_config.json", "spiece.model"):
        (tokenizer / name).write_text("{}")
    (made,) = sets_of(folder).values()
    assert made.name == "Wan2.2-T2V-A14B"
    assert made.card is not None
    assert dict(made.card.files)["tokenizer"] == str(tokenizer)
    assert made.card.family.name == "wan2.2-t2v-a14b"
