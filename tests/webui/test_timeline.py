"""The timeline shows the plan as it is, and nothing a user writes becomes HTML."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wan_engine.families import FAMILIES, Lineup, Mode, ModelCard
from wan_engine.plan.build import build_plan
from wan_engine.plan.model import plan_to_json
from wan_engine.settings_check import settings_from_mapping
from wan_webui import timeline

EVIL = "<img src=x onerror=alert(1)>\"'&${alert(1)}{{alert(1)}}</div><script>"


class Reader(HTMLParser):
    """Tags, attributes and texts of a piece of HTML; a tag that is not closed is an error."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.found: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self.feed(html)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        self.found.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def blocks(self, lane: str) -> list[dict[str, str]]:
        start = next(number for number, (_, attrs) in enumerate(self.found) if lane in attrs.get("class", ""))
        found = []
        for _, attrs in self.found[start + 1 :]:
            if "wan-lane" in attrs.get("class", "") or "wan-ruler" in attrs.get("class", ""):
                break
            if "wan-block" in attrs.get("class", ""):
                found.append(attrs)
        return found


def plan_of(modes: tuple[Mode, ...] = ("t2v", "i2v"), family: str = "wan-tiny", **settings: Any) -> dict[str, Any]:
    card = ModelCard("Wan-Tiny", FAMILIES[family], frozenset(modes))
    values = {"prompts": {"0": "a fox", "40": "a bird --neg blur"}, "max_frames": 80, "seed": 5, **settings}
    return plan_to_json(build_plan(settings_from_mapping(values), Lineup(dict.fromkeys(modes, card))))


def percent(block: dict[str, str], name: str) -> float:
    found = re.search(rf"{name}:([0-9.]+)%", block["style"])
    assert found
    return float(found[1])


def test_prompts_lie_over_their_frames() -> None:
    reader = Reader(timeline.timeline_html(plan_of()))
    prompts = reader.blocks("wan-prompts")
    assert [percent(block, "left") for block in prompts] == [0, 50]
    assert [percent(block, "width") for block in prompts] == [50, 50]
    assert prompts[1]["title"] == "40: a bird\nnot: blur"
    assert {"a fox", "a bird"} <= set(reader.texts)


def test_clips_say_mode_frames_and_seam() -> None:
    plan = plan_of()
    reader = Reader(timeline.timeline_html(plan))
    clips = reader.blocks("wan-clips")
    assert len(clips) == len(plan["clips"]) == 4
    assert ["wan-seam-begin" in clips[0]["class"], "wan-seam-continued" in clips[1]["class"]] == [True, True]
    assert "Clip 2 of 4: image-to-video, goes on from the clip before" in clips[1]["title"]
    assert "t2v 21" in reader.texts
    cut = Reader(timeline.timeline_html(plan_of(modes=("t2v",)))).blocks("wan-clips")
    assert all("wan-seam-cut" in block["class"] for block in cut[1:])


def test_the_figures_and_needs_are_the_plans() -> None:
    plan = plan_of(fps="24", max_frames=120)
    text = " ".join(Reader(timeline.timeline_html(plan, ["read as lines"])).texts)
    for words in ("5.00 s", "120 frames at 24 fps", "rendered at 16 fps", "64 × 64", "seed 5", "read as lines"):
        assert words in text
    assert f"Steps  {sum(clip['steps'] for clip in plan['clips'])}" in text
    assert timeline.size_words(plan["disk_bytes"]) in text


def test_the_memory_profile_is_told_or_what_each_takes() -> None:
    each = {
        "fast": {"device_bytes": 51_000_000_000, "ram_bytes": 1},
        "low": {"device_bytes": 8_400_000_000, "ram_bytes": 1},
    }
    memory = {"device": "Card <1>", "profile": "low", "reason": 'about "8.4" GB', "words": "", "profiles": each}
    shown = timeline.timeline_html({**PLAN, "memory": memory})
    assert '<span title="about &quot;8.4&quot; GB">low, about 8.4 GB of Card &lt;1&gt;</span>' in shown
    unknown = timeline.timeline_html({**PLAN, "memory": {**memory, "device": "", "profile": "", "reason": ""}})
    assert "Memory of the GPU <b>fast 51 GB, low 8.4 GB</b>" in unknown
    on_cpu = timeline.timeline_html({**PLAN, "memory": {**memory, "device": "cpu"}})
    assert "low, about 8.4 GB of main memory" in on_cpu
    assert "Memory" not in timeline.timeline_html({**PLAN, "memory": None})


def test_the_ruler_has_round_seconds_and_their_frames() -> None:
    reader = Reader(timeline.timeline_html(plan_of(max_frames=160)))
    assert [text for text in reader.texts if re.fullmatch(r"\d+ s", text)] == [f"{second} s" for second in range(10)]
    assert "144" in reader.texts


def test_a_film_of_thousands_of_clips_stays_small() -> None:
    plan = plan_of(prompts={"0": "x"}, max_frames=100_000)
    html = timeline.timeline_html(plan)
    assert len(plan["clips"]) > 3000
    clips = Reader(html).blocks("wan-clips")
    assert len(clips) <= 100 / timeline.NARROWEST
    assert percent(clips[-1], "left") + percent(clips[-1], "width") == pytest.approx(100, abs=0.01)


@given(st.text(st.characters(blacklist_categories=("Cs",)), max_size=40))
def test_no_text_becomes_html(text: str) -> None:
    plain = Reader(timeline.timeline_html(PLAN, ["note"]))
    plan = {
        **PLAN,
        "models": {"t2v": EVIL + text},
        "clips": [{**clip, "prompt": EVIL + text} for clip in PLAN["clips"]],
    }
    evil = Reader(timeline.timeline_html(plan, [EVIL + text]))
    assert [tag for tag, _ in evil.found] == [tag for tag, _ in plain.found]


PLAN = plan_of()


def test_problems_have_place_and_remedy_and_stay_text() -> None:
    place = {"field": "guidance_scale", "key": EVIL, "line": 2, "column": 7, "part": "text"}
    problem = {"message": EVIL, "remedy": EVIL, **place}
    reader = Reader(timeline.problems_html([problem]))
    assert [tag for tag, _ in reader.found] == ["div", "h4", "ul", "li", "button", "span"]
    button = reader.found[4][1]
    assert button["data-line"] == "2"
    assert button["data-key"] == EVIL
    assert button["data-part"] == "text"
    assert f'guidance scale, key "{EVIL}", line 2, column 7' in reader.texts
    assert timeline.problems_html([]) == ""


def test_a_message_of_several_lines_keeps_them() -> None:
    message = "a.gguf is not complete:\nthe <VAE> is missing; it could come from\n    there"
    shown = timeline.problems_html([{"message": message}])
    assert "complete:<span" in shown
    assert '<span class="wan-line">the &lt;VAE&gt; is missing; it could come from</span>' in shown
    assert '<span class="wan-under">there.</span>' in shown


@pytest.mark.parametrize(
    ("size", "words"), [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (28.4e9, "28.4 GB"), (3e12, "3 TB")]
)
def test_sizes_are_words(size: float, words: str) -> None:
    assert timeline.size_words(size) == words


SEAM = {
    "frame": 40,
    "kind": "last_frame",
    "new_prompt": False,
    "difference": 2.1,
    "warp": 1.4,
    "motion": 0.9,
    "colour": 0.2,
    "spread": 0.1,
    "turn": 12.0,
    "flash": False,
    "freeze": False,
    "drift": 0.4,
    "versions": [],
    "grade": "fair",
    "faults": ["the picture jumps"],
}


def test_seams_wear_their_grade_and_tell_their_figures() -> None:
    other = {**SEAM, "frame": 60, "grade": "good", "faults": []}
    reader = Reader(timeline.made_html({**plan_of(), "seams": [SEAM, other]}))
    marks = [attrs for tag, attrs in reader.found if "wan-seam " in attrs.get("class", "")]
    assert [mark["class"] for mark in marks] == ["wan-seam wan-grade-fair", "wan-seam wan-grade-good"]
    assert (percent(marks[0], "left"), marks[0]["data-seconds"]) == (50, "2.500")
    words = marks[0]["aria-label"]
    assert words == marks[0]["title"]
    for part in ("at 2.50 s (frame 40)", "fair", "The picture jumps", "Difference 2.10", "drifted by 0.4"):
        assert part in words
    assert "Seams: 1 good, 1 fair" in " ".join(reader.texts)


def test_a_seam_tells_what_was_tried_and_a_foreign_grade_is_no_class() -> None:
    tried = [{"made_by": "render", "grade": "bad", "kept": False}, {"made_by": "vace", "grade": "good", "kept": True}]
    seam = {**SEAM, "grade": EVIL, "kind": EVIL, "versions": tried, "turn": None, "drift": None}
    reader = Reader(timeline.made_html({**plan_of(), "seams": [seam]}))
    (mark,) = [attrs for _, attrs in reader.found if "wan-seam " in attrs.get("class", "")]
    assert mark["class"] == "wan-seam wan-grade-cut"
    assert "Tried: rendered bad, mended by VACE good (kept)." in mark["aria-label"]


def test_before_a_film_is_made_there_are_no_seams() -> None:
    assert "wan-seams" not in timeline.timeline_html(plan_of())


def test_clips_that_meet_in_a_picture_are_no_cut() -> None:
    plan = plan_of()
    plan["clips"][1] |= {"end_image": "/b.png"}
    plan["clips"][2] |= {"continuity": "cut", "start_image": "/b.png"}
    clips = Reader(timeline.timeline_html(plan)).blocks("wan-clips")
    assert ["wan-seam-keyframe" in block["class"] for block in clips] == [False, False, True, False]
