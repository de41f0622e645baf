"""The forms of requests about storyboards."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from wan_engine.service.api.forms import Form, ProjectName, SettingsObject
from wan_engine.settings_planning import MOST_SECONDS, MOST_SEGMENTS
from wan_engine.storyboard.planner import MOST_CHARACTERS, Ask

_TEXT = "A red circle moves right. A blue square moves down."
_STORY: dict[str, Any] = {
    "opening": {"description": "a red circle"},
    "segments": [{"prompt": "a red circle moves right", "seconds": 2, "last": {"description": "a red circle"}}],
}


class AskInput(Form):
    """A long prompt to be planned."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"text": _TEXT, "film": {"fps": 16}}]})

    text: str = Field(max_length=MOST_CHARACTERS, description="The long prompt.")
    seconds: float = Field(0, ge=0, le=MOST_SECONDS, description="Length of the film; 0 as the text asks.")
    segments: int = Field(0, ge=0, le=MOST_SEGMENTS, description="How many segments; 0 as fits.")
    film: SettingsObject = Field({}, description="Settings of the film by name.")
    pictures: SettingsObject = Field({}, description="Settings of keyframe pictures by name (docs/settings.md).")

    def ask(self) -> Ask:
        """The ask, its picture settings checked. Raises InputError."""
        from wan_engine.settings_check import picture_settings_from_mapping

        pictures = picture_settings_from_mapping(self.pictures)
        return Ask(self.text, self.seconds, self.segments, self.film, pictures)


class EstimateInput(AskInput):
    """A long prompt whose planning and pictures are to be estimated."""

    planner: Literal["splitter", "llm"] = Field("splitter", description="Who plans it.")


class PlanStoryInput(EstimateInput):
    """A long prompt to be planned by a job, which can go on to pictures and film."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"text": _TEXT, "planner": "splitter", "upto": "film"}]})

    upto: Literal["storyboard", "pictures", "film"] = Field("storyboard", description="How far the job goes.")
    title: str = Field("", max_length=200, description="What the job is called; empty takes the text.")
    priority: int = Field(0, ge=-1000, le=1000, description="Higher goes first.")


class StoryInput(Form):
    """A storyboard: its values, or a project file's content; exactly one of the two."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"storyboard": _STORY}]})

    storyboard: SettingsObject | None = Field(None, description="The storyboard (docs/storyboard.md).")
    project: str | None = Field(None, description="The content of a storyboard's file.")
    name: ProjectName = ""

    @model_validator(mode="after")
    def _one_story(self) -> Self:
        if (self.storyboard is None) == (self.project is None):
            raise ValueError("give either storyboard or project")
        return self


class KeyframesInput(StoryInput):
    """A storyboard whose pictures are to be made."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"storyboard": _STORY, "redo": [1]}]})

    redo: list[int] = Field([], max_length=MOST_SEGMENTS + 1, description="Keyframes whose picture is made again.")
    upto: Literal["pictures", "film"] = Field("pictures", description="How far the job goes.")
    file: str = Field("", max_length=4096, description="The file of an earlier job's result, to go on with it.")
    title: str = Field("", max_length=200, description="What the job is called; empty takes the storyboard's title.")
    priority: int = Field(0, ge=-1000, le=1000, description="Higher goes first.")


class EnhanceInput(Form):
    """A single prompt to be enriched by the planner's service."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"prompt": "a fox in the snow"}]})

    prompt: str = Field(min_length=1, max_length=5000)
