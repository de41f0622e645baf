"""How storyboards and their making look in a terminal, and as plain lines."""

from __future__ import annotations

import pytest

from recording_screen import RecordingScreen
from wan_engine.cli.stop import STOPPING
from wan_engine.cli.story_view import StoryBar, show_story, story_watched
from wan_engine.errors import Cancelled
from wan_engine.render.events import Event
from wan_engine.schedule.storyboard import Character, Segment, Storyboard, StoryKeyframe

STORY = Storyboard(
    segments=(
        Segment("a fox [red]runs[/red]", 3, "slow pan", StoryKeyframe("a fox", image="a.png")),
        Segment("it sleeps", 2.5, last=StoryKeyframe("an old fox\x1b[31m", image="b.png", locked=True)),
    ),
    opening=StoryKeyframe("snow"),
    title="The fox",
    style="oil",
    characters=(Character("Fox", "red fur"),),
)


def test_a_storyboard_is_a_coloured_table_in_a_terminal() -> None:
    screen = RecordingScreen(terminal=True, coloured=True)
    show_story(screen, screen.err, STORY)
    text = screen.text()
    # Keyframes magenta, segments green; pictures by how they stand: missing yellow, made green, locked cyan.
    for words in (
        "\x1b[35mKeyframe 0",
        "\x1b[32mSegment 1",
        "\x1b[33mno picture yet",
        "\x1b[32mpicture",
        "\x1b[36mlocked",
    ):
        assert words in text
    assert "a fox [red]runs[/red] (slow pan)" in text
    assert r"an old fox\x1b[31m" in text


def test_without_a_terminal_it_is_lines() -> None:
    screen = RecordingScreen(terminal=False)
    show_story(screen, screen.err, STORY)
    assert screen.text().splitlines() == [
        "Storyboard: The fox; 2 segments, 5.5 s",
        "Style: oil",
        "Character Fox: red fur",
        "Keyframe 0, at 0 s, no picture yet: snow",
        "Segment 1, 3 s: a fox [red]runs[/red] (slow pan)",
        "Keyframe 1, at 3 s, picture: a fox",
        "Segment 2, 2.5 s: it sleeps",
        r"Keyframe 2, at 5.5 s, locked: an old fox\x1b[31m",
    ]


def test_a_terminal_shows_a_bar_below_what_is_done() -> None:
    screen = RecordingScreen(terminal=True, coloured=True)
    with story_watched(screen, "again") as (report, _):
        report(Event("planning", "Planning with llm"))
        report(Event("storyboard", "Storyboard: 2 segments, 5 s"))
        screen.wait_for("Storyboard: 2 segments, 5 s")
        report(Event("usage", "small took 5 tokens"))
        report(Event("keyframe", "Keyframe 0: snow", steps_done=1, steps_total=3))
        report(Event("keyframe_done", "Keyframe 0 made: a.png", steps_done=2, steps_total=3))
        screen.wait_for("pictures")
    assert "\x1b[32mKeyframe 0 made: a.png (2 of 3)" in screen.text()
    assert "small took 5 tokens" in screen.shown()


def test_below_the_bar_stands_that_it_stops() -> None:
    screen = RecordingScreen(terminal=True, coloured=True)
    with StoryBar(screen) as view:
        view.stopping()
        screen.wait_for(STOPPING)


def test_work_that_was_stopped_says_how_to_go_on() -> None:
    screen = RecordingScreen(terminal=False)

    def work() -> None:
        with story_watched(screen, "do it again") as (report, _):
            report(Event("keyframe", "Keyframe 0: snow", steps_done=1, steps_total=3))
            raise Cancelled("x")

    with pytest.raises(Cancelled, match="stopped") as caught:
        work()
    assert caught.value.remedy == "do it again"
    assert screen.text() == "Keyframe 0: snow (1 of 3)\n"
