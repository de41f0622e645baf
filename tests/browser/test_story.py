"""The story on stand-ins with the gradio of A1111 and of Forge, and on the page of its own with the current one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from browser.keyframes_story import KeyframesStory
from browser.outpaint_story import OutpaintStory, small_film
from browser.scenes_story import ScenesStory, three_scenes
from browser.servers import Server, alone, standin
from browser.story import Story
from browser.storyboard_story import StoryboardStory

__all__ = ["small_film", "three_scenes"]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module", params=["a1111", "forge", "alone"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Each host in turn, started once for all its tests."""
    folder = tmp_path_factory.mktemp(request.param)
    made = alone(folder) if request.param == "alone" else standin(request.param, folder)
    made.start()
    yield made
    made.close()


class TestStory(Story):
    """On the host of the fixture."""


class TestKeyframes(KeyframesStory):
    """On the host of the fixture."""


class TestScenes(ScenesStory):
    """On the host of the fixture."""


class TestStoryboard(StoryboardStory):
    """On the host of the fixture."""


class TestOutpaint(OutpaintStory):
    """On the host of the fixture."""
