"""The table of model families keeps the models' own rules, and a line-up says what it can do."""

from __future__ import annotations

import pytest

from wan_engine.families import FAMILIES, MODE_WORDS, MODES, Family, Lineup, ModelCard

EACH = pytest.mark.parametrize("family", FAMILIES.values(), ids=list(FAMILIES))


@EACH
def test_a_family_keeps_the_models_rules(family: Family) -> None:
    assert FAMILIES[family.name] is family
    assert family.modes
    assert family.modes <= set(MODES)
    assert family.native_frames % 4 == 1, "Wan's VAE packs four frames into one after the first"
    assert family.width % family.size_multiple == 0
    assert family.height % family.size_multiple == 0
    assert family.size_multiple % 16 == 0
    assert family.steps > 0
    assert family.guidance_scale >= 1


def test_the_published_figures() -> None:
    small = FAMILIES["wan2.2-ti2v-5b"]
    assert (small.fps, small.native_frames, small.size_multiple) == (24, 121, 32)
    for name, family in FAMILIES.items():
        if name.startswith("wan2"):
            assert family.fps == (24 if name == "wan2.2-ti2v-5b" else 16)
            assert (family.guidance_scale_2 is not None) == ("a14b" in name), "two experts, two scales"


@pytest.mark.parametrize(
    ("name", "size", "shift"),
    [
        ("wan2.1-t2v-14b", (832, 480), 3.0),
        ("wan2.1-t2v-14b", (1280, 720), 5.0),
        ("wan2.1-t2v-14b", (720, 1280), 5.0),
        ("wan2.1-t2v-14b", (1280, 704), 3.0),
        ("wan2.2-t2v-a14b", (832, 480), 12.0),
        ("wan2.1-flf2v-14b", (1280, 720), 16.0),
    ],
)
def test_flow_shift_follows_the_picture_size(name: str, size: tuple[int, int], shift: float) -> None:
    assert FAMILIES[name].flow_shift(*size) == shift


def _card(name: str, *modes: str) -> ModelCard:
    family = FAMILIES[name]
    return ModelCard(family.label, family, frozenset(mode for mode in MODES if mode in modes))


def test_a_lineup_says_what_it_can_do() -> None:
    text, image = _card("wan2.1-t2v-14b", "t2v"), _card("wan2.2-i2v-a14b", "i2v", "flf2v")
    lineup = Lineup({"flf2v": image, "i2v": image, "t2v": text})
    assert lineup.can("flf2v")
    assert lineup.card("i2v") is image
    assert lineup.families == (text.family, image.family), "each once, in the order of the modes"
    assert lineup.words() == "text-to-video and image-to-video and first-last-frame-to-video"


def test_an_empty_lineup_can_nothing() -> None:
    assert not Lineup().can("t2v")
    assert Lineup().families == ()
    assert Lineup().words() == "nothing"
    with pytest.raises(KeyError):
        Lineup().card("t2v")


def test_every_mode_has_words() -> None:
    assert set(MODE_WORDS) == set(MODES)
