"""The forms of requests, with examples; the API's description is made from them.

Settings stand in them as plain objects: what they may hold is the table of settings (`GET /wan/v1/settings`), and
the engine's own checks tell what is wrong with them.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

MAX_DEPTH = 8
"""Settings are objects of objects at most; deeper ones are nobody's."""
MOST_PROJECTS = 500
"""Project files of one batch."""

_FOX: dict[str, Any] = {
    "prompts": {"0": "a red fox in the snow", "40": "the fox runs"},
    "max_frames": 80,
    "backend": "dry_run",
}
_FOX_TEXT = "0: a red fox in the snow\n40: the fox runs\n"


def _plain_json(values: dict[str, Any]) -> dict[str, Any]:
    """Refuse what is nested too deeply or holds half characters, which can neither be stored nor answered."""
    level: list[Any] = [values]
    for _ in range(MAX_DEPTH):
        if not level:
            return values
        for text in level:
            if isinstance(text, str):
                _whole_text(text)
        inner: list[Any] = []
        for each in level:
            if isinstance(each, dict):
                inner.extend((*each, *each.values()))
            elif isinstance(each, list):
                inner.extend(each)
        level = inner
    if level:
        raise ValueError(f"it is nested more than {MAX_DEPTH} levels deep")
    return values


def _whole_text(text: str) -> str:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError("a text in it holds half a character (a lone surrogate)") from error
    return text


SettingsObject = Annotated[dict[str, Any], AfterValidator(_plain_json)]
"""Settings by name, not yet checked against the table."""

SceneFrame = Annotated[int, Field(ge=0, le=2**31)]
"""Number of a film's frame."""
# JSON knows no tuples: its lists are taken for them.
Scene = Annotated[tuple[SceneFrame, SceneFrame], Field(strict=False)]
"""First frame of a scene and the one behind its last."""

ProjectName = Annotated[str, Field(max_length=255, description="The file's name: its ending says JSON, YAML or text.")]


class Form(BaseModel):
    """What every form is: unknown keys are refused, and `true` or "1" where a number is asked."""

    model_config = ConfigDict(extra="forbid", strict=True)


class ProjectFile(Form):
    """A project file of any kind: JSON, YAML, Deforum's settings, one prompt a line."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"text": _FOX_TEXT, "name": "fox.txt"}]})

    text: str = Field(description="The file's content.")
    name: ProjectName = ""


class ImportInput(Form):
    """A project file to be turned into settings."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"project": _FOX_TEXT, "name": "fox.txt"}]})

    project: str = Field(description="The file's content.")
    name: ProjectName = ""
    movement: bool = Field(False, description="Turn a Deforum file's camera movement into words.")


class ExportInput(Form):
    """Settings to be written as a file."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"settings": _FOX}, {"settings": _FOX, "form": "deforum"}]}
    )

    settings: SettingsObject
    form: Literal["project", "deforum"] = Field("project", description="A project file, or Deforum's settings file.")


class FilmInput(Form):
    """A film: by its settings, or by a project file's content; exactly one of the two."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"settings": _FOX}, {"project": _FOX_TEXT, "name": "fox.txt"}]}
    )

    settings: SettingsObject | None = None
    project: str | None = Field(None, description="The content of a project file.")
    name: ProjectName = ""

    @model_validator(mode="after")
    def _one_film(self) -> Self:
        if (self.settings is None) == (self.project is None):
            raise ValueError("give either settings or project")
        return self


class RenderInput(Form):
    """Films to be rendered: one by `settings` or `project`, or a batch by `projects`; exactly one of the three."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"settings": _FOX, "title": "fox"},
                {"projects": [{"name": "fox.txt", "text": _FOX_TEXT}], "priority": 5},
            ]
        }
    )

    settings: SettingsObject | None = None
    project: str | None = Field(None, description="The content of a project file.")
    name: ProjectName = ""
    projects: list[ProjectFile] | None = Field(None, min_length=1, max_length=MOST_PROJECTS)
    title: str = Field("", max_length=200, description="What the job is called; empty takes the file's name or prompt.")
    priority: int = Field(0, ge=-1000, le=1000, description="Higher goes first.")

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if sum(each is not None for each in (self.settings, self.project, self.projects)) != 1:
            raise ValueError("give one of settings, project and projects")
        return self


class SplitInput(Form):
    """Films to be split into scenes: files, folders of films, patterns."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"films": ["/films/a.mkv"], "settings": {"crf": 20}}]})

    films: list[Annotated[str, Field(min_length=1, max_length=4096)]] = Field(min_length=1, max_length=1000)
    settings: SettingsObject = Field({}, description="Settings of scenes by name (docs/settings.md).")
    scenes: list[Scene] = Field(
        [], max_length=100_000, description="Of a single film: scenes given by hand, each first frame and frame after."
    )
    title: str = Field("", max_length=200, description="What the job is called; empty takes the film's name.")
    priority: int = Field(0, ge=-1000, le=1000, description="Higher goes first.")


class SceneFrameInput(Form):
    """A frame of a film whose scenes are listed."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"path": "/films/scenes-S01.json", "frame": 240}]})

    path: str = Field(min_length=1, max_length=4096, description="A list of scenes, as a split's result names it.")
    frame: SceneFrame = Field(description="The frame, from 0.")


class OutpaintLookInput(Form):
    """A film to be looked at on its canvas."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"film": "/films/a.mp4", "settings": {"aspect": "16:9"}, "frame": 24}]}
    )

    film: str = Field(min_length=1, max_length=4096)
    settings: SettingsObject = Field({}, description="Settings of outpainting by name (docs/settings.md).")
    frame: SceneFrame = Field(0, description="The frame that is looked at.")


class OutpaintInput(OutpaintLookInput):
    """A film to be outpainted, or parts of it made anew."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"film": "/films/a.mp4", "settings": {"aspect": "16:9", "seed": 5}}]}
    )

    cuts: list[SceneFrame] | None = Field(
        None, max_length=100_000, description="Frames at which scenes begin, in place of those that are found."
    )
    preview: bool = Field(False, description="Only make one frame, and show it with its canvas and mask.")
    title: str = Field("", max_length=200, description="What the job is called; empty takes the film's name.")
    priority: int = Field(0, ge=-1000, le=1000, description="Higher goes first.")


class ValuesInput(Form):
    """A numeric schedule to be written out."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"schedule": "0:(1.0), 30:(sin(t/10))", "max_frames": 40}]}
    )

    schedule: str = Field(max_length=100_000)
    max_frames: int = Field(120, ge=1, le=100_000, description="Length of the film in frames.")
    seed: int = Field(0, ge=0, le=2**32 - 1, description="The value of s.")
    fps: str = Field("16", max_length=30, description="Frames a second, for keys in seconds.")


class PriorityInput(Form):
    """A job's place in the queue."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"priority": 10}]})

    priority: int = Field(ge=-1000, le=1000, description="Higher goes first.")


class HostApiInput(Form):
    """A WebUI's own API."""

    url: str = Field(pattern=r"^https?://[^\s/@]+$", max_length=300, description="Where the WebUI is.")
    on: bool = Field(description="Whether it was started with --api.")
    guarded: bool = Field(description="Whether its API asks for user and password.")


class HostInput(Form):
    """A WebUI's sign of life."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"freed": []}]})

    api: HostApiInput | None = Field(None, description="Its own API, which may make keyframe pictures.")

    freed: list[Annotated[str, Field(max_length=64)]] = Field(
        default=[], max_length=1000, description="Jobs for which its GPU memory is freed."
    )


class DownloadInput(Form):
    """A download by its name in the table."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "wan2.1-vae", "accept_licence": True}]})

    name: str = Field(min_length=1, max_length=100, description="As GET /wan/v1/downloads lists it.")
    accept_licence: bool = Field(False, description="Whether the user accepts the licence that is listed.")
