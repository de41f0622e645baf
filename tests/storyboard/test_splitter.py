"""The splitter: scenes, sentences and durations of texts as people write them; lengths that a model makes."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wan_engine.errors import InputError
from wan_engine.families import FAMILIES, Lineup, ModelCard
from wan_engine.schedule.project import project_from_text
from wan_engine.schedule.storyboard_file import storyboard_to_text
from wan_engine.settings import Settings
from wan_engine.storyboard.lengths import Lengths, lengths_for
from wan_engine.storyboard.planner import Ask, Planned
from wan_engine.storyboard.splitter import Splitter

LENGTHS = Lengths(step=Fraction(1, 4), most=Fraction(5))

SCRIPT = """Title: The harbour
Style: oil painting
Characters: Mara: a woman in yellow; Ben (an old sailor)
Duration: 30 s

INT. KITCHEN - NIGHT (4 s)
Mara looks out of the window. The storm comes.

Scene 2: The boat leaves the harbour (2.6 seconds). Mr. Ben waves for 3 seconds. Ah!
Camera: slow pan left
CUT TO:
- the sea at dawn
  and dusk
- 0:10-0:22 a gull flies
Scene 3 (2 s) - The quay at night. It is empty now.
"""


def split(text: str, seconds: float = 0, segments: int = 0) -> Planned:
    return Splitter(LENGTHS).plan(Ask(text, seconds, segments), lambda _story: None, lambda: False)


def test_a_script_is_understood() -> None:
    planned = split(SCRIPT)
    story = planned.storyboard
    assert [(segment.prompt, segment.seconds, segment.camera) for segment in story.segments] == [
        ("Mara looks out of the window, kitchen, night", 2.75, ""),
        ("The storm comes, kitchen, night", 1.25, ""),
        ("The boat leaves the harbour.", 2.5, ""),
        ("Mr. Ben waves for 3 seconds. Ah!", 3, "slow pan left"),
        ("the sea at dawn and dusk", 6.5, ""),
        ("a gull flies", 12, ""),
        ("The quay at night.", 1, ""),
        ("It is empty now", 1, ""),
    ]
    assert (story.title, story.style, story.seconds) == ("The harbour", "oil painting", 30)
    assert [(each.name, each.look) for each in story.characters] == [
        ("Mara", "a woman in yellow"),
        ("Ben", "an old sailor"),
    ]
    assert any("Segment 3: 2.6 s became 2.5 s" in note for note in planned.notes)
    assert any("Segment 6 has 12 s and is made as several clips" in note for note in planned.notes)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Style: watercolour. A boat leaves. Rain falls on the sea.", {"style": "watercolour"}),
        ("A boat leaves. Rain falls on the sea. Style: watercolour", {"style": "watercolour"}),
        ("Style: oil, by Mr. Turner. A boat leaves.\nRain falls on the sea.", {"style": "oil, by Mr. Turner"}),
        ("Title: The sea\nSetting: a bay, no wind\nA boat leaves. Rain falls on the sea.", {"title": "The sea"}),
        ("Length: 8 s. A boat leaves. Rain falls on the sea.", {"seconds": 8}),
        ("Title: What now? Continuity: a bay. A boat leaves. Rain falls on the sea.", {"continuity": "a bay"}),
    ],
)
def test_what_a_line_says_of_the_whole_film_ends_with_its_sentence(text: str, found: dict[str, object]) -> None:
    story = split(text).storyboard
    assert {name: getattr(story, name) for name in found} == found
    assert [segment.prompt for segment in story.segments] == ["A boat leaves.", "Rain falls on the sea."]


def test_a_camera_is_of_the_sentence_before_it() -> None:
    story = split("Characters: Mara (in yellow). Mara walks on. Camera: slow pan left. She waves at us.").storyboard
    assert [each.name for each in story.characters] == ["Mara"]
    assert [(each.prompt, each.camera) for each in story.segments] == [
        ("Mara walks on.", "slow pan left"),
        ("She waves at us.", ""),
    ]


@pytest.mark.parametrize(
    ("words", "characters"),
    [
        ("(Mara), a woman; Ben", [("Mara", "a woman"), ("Ben", "")]),
        ("— Mara: tall; - Ben (an old sailor)", [("Mara", "tall"), ("Ben", "an old sailor")]),
        ("; ( ); -", []),
        ("the `x` of it: a `y", [("the 'x' of it", "a 'y")]),
    ],
)
def test_characters_without_a_name_are_none(words: str, characters: list[tuple[str, str]]) -> None:
    story = split(f"Characters: {words}\nA boat leaves. Rain falls on the sea.").storyboard
    assert [(each.name, each.look) for each in story.characters] == characters


def test_each_keyframe_shows_what_begins_there() -> None:
    story = split("A red circle moves. A blue square falls.").storyboard
    assert [keyframe.description for keyframe in story.keyframes] == [
        "A red circle moves.",
        "A blue square falls.",
        "A blue square falls.",
    ]


def test_neighbours_are_joined_to_as_many_segments_as_wanted() -> None:
    planned = split("One fox runs far away. Two cats sit here. Three dogs bark now. A bird sings its song.", segments=2)
    assert len(planned.storyboard.segments) == 2
    few = split("A single sentence is here.", segments=4)
    assert len(few.storyboard.segments) == 1
    assert "not 4" in few.notes[0]


@pytest.mark.parametrize("text", ["", "   \n", "... !!", "Style: oil", "---"])
def test_a_text_without_a_sentence_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        split(text)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Dr. Moreau arrives at 5.30 p.m. on the island.", 1),
        ("He says “Go!” and runs. She stays here.", 2),
        ("狐狸在雪中奔跑。太阳落下了。", 2),
        ("1. a fox runs\n2. a cat sits\n3) a dog barks", 3),
        ("fade in:\na fox runs\nFADE OUT.", 1),
    ],
)
def test_sentences_are_told_apart(text: str, count: int) -> None:
    assert len(split(text).storyboard.segments) == count


PIECES = (*SCRIPT.split("\n"), "Characters: (;", "Duration: soon", "Style: .", "。", "(0 s)", "`x`", "Camera:", " ")
TEXTS = st.text(max_size=300) | st.lists(st.sampled_from(PIECES) | st.just("\n"), max_size=12).map(" ".join)


@settings(max_examples=150)
@given(TEXTS, st.floats(0, 100), st.integers(0, 9))
def test_any_text_is_split_into_good_lengths_or_refused(text: str, seconds: float, segments: int) -> None:
    try:
        story = split(text, seconds, segments).storyboard
    except InputError:
        return
    assert all((Fraction(segment.seconds) / LENGTHS.step).denominator == 1 for segment in story.segments)
    assert split(text, seconds, segments).storyboard == story
    assert "`" not in "".join(segment.prompt for segment in story.segments)
    assert project_from_text(storyboard_to_text(story), "story.yaml").storyboard == story


@given(st.fractions(0, 200), st.lists(st.integers(1, 50).map(Fraction), min_size=1, max_size=20))
def test_shares_add_up_and_each_is_one_that_the_model_makes(total: Fraction, weights: list[Fraction]) -> None:
    shares = LENGTHS.share(total, weights)
    assert sum(shares) == max(LENGTHS.step * len(weights), LENGTHS.fit(total))
    assert all(share >= LENGTHS.step and (share / LENGTHS.step).denominator == 1 for share in shares)


@pytest.mark.parametrize(
    ("family", "step", "most", "usual"),
    [
        ("wan2.1-flf2v-14b", Fraction(1, 4), 5, 3),
        ("wan2.2-ti2v-5b", Fraction(1, 6), 5, 3),
        ("wan-tiny", Fraction(1, 4), 2, 2),
    ],
)
def test_lengths_are_the_models(family: str, step: Fraction, most: int, usual: int) -> None:
    modes = FAMILIES[family].modes
    lineup = Lineup({mode: ModelCard(family, FAMILIES[family], modes) for mode in modes})
    lengths = lengths_for(Settings(), lineup)
    assert (lengths.step, lengths.most, lengths.usual) == (step, most, usual)
