"""The forms of answers; the API's description is made from them, and a test checks that answers have them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

_MODEL: dict[str, Any] = {
    "name": "wan2.1_t2v_1.3B_bf16",
    "path": "/models/diffusion_models/wan2.1_t2v_1.3B_bf16.safetensors",
    "family": "Wan 2.1 T2V 1.3B",
    "modes": [],
    "size_bytes": 2838084226,
    "embedded": False,
    "error": "the Wan 2.1 VAE (16 channels) is missing",
    "kind": "model",
    "precision": "bf16",
    "parts": {"transformer": "/models/diffusion_models/wan2.1_t2v_1.3B_bf16.safetensors"},
    "missing": ["the Wan 2.1 VAE (16 channels) is missing"],
    "notes": [],
    "remedy": "wan-engine models download wan2.1-vae",
}

JobState = Literal["queued", "running", "done", "failed", "cancelled"]


class ProblemItem(BaseModel):
    """One thing that is wrong, with its place and the way out.

    part: what `column` counts in where there is no `line`: the `key`, its `text`, or "" for the whole setting.
    """

    message: str
    remedy: str
    field: str
    key: str
    column: int | None
    line: int | None
    file: str
    part: Literal["", "key", "text"]


class ProblemDocument(BaseModel):
    """An error (RFC 9457). error: the engine's class of it.  problems: for wrong input, each with its place."""

    type: str
    title: str
    status: int
    detail: str
    error: str
    remedy: str
    problems: list[ProblemItem]


class PromptRowOut(BaseModel):
    """One prompt as the model gets it, and the film frames it owns, `end` exclusive."""

    key: str
    start: int
    end: int
    start_seconds: float
    end_seconds: float
    prompt: str
    negative: str


class PlanOut(BaseModel):
    """A plan, the prompts as the model gets them, and the definite settings it was made of."""

    plan: dict[str, Any]
    prompts: list[PromptRowOut]
    notes: list[str]
    settings: dict[str, Any]


class PromptsOut(BaseModel):
    """The prompts of a film."""

    frames: int
    fps: float
    prompts: list[PromptRowOut]
    notes: list[str]


class ValuesOut(BaseModel):
    """A schedule's value at each frame."""

    values: list[float]
    notes: list[str]


class ProgressOut(BaseModel):
    """Where a job stands; `preview_number` changes with each new picture."""

    message: str
    kind: str
    clip: int
    clips: int
    step: int
    steps: int
    steps_done: int
    steps_total: int
    seconds_left: float | None
    preview_number: int


class JobSummary(BaseModel):
    """A job without its settings."""

    id: str
    kind: str
    state: JobState
    title: str
    batch: str
    priority: int
    device: str
    notes: list[str]
    created: float
    started: float | None
    finished: float | None
    attempts: int
    folder: str
    progress: ProgressOut
    result: dict[str, Any] | None
    error: dict[str, Any] | None
    cancel_requested: bool
    worker: str
    asks_memory: bool


class JobOut(JobSummary):
    """A job."""

    settings: dict[str, Any]


class JobsOut(BaseModel):
    """Jobs, the newest first, and how many there are in each state."""

    jobs: list[JobSummary]
    counts: dict[JobState, int]


class RendersOut(BaseModel):
    """What was queued. errors: the problem of each project file that was not."""

    jobs: list[JobSummary]
    batch: str
    errors: list[ProblemDocument]


class EventOut(BaseModel):
    """Something that happened to a job; `number` counts up."""

    job_id: str
    number: int
    time: float
    kind: str
    message: str
    data: dict[str, Any]


class FileOut(BaseModel):
    """A file of a job's film. size: in bytes.  url: below the engine's address."""

    name: str
    kind: str
    size: int
    url: str


class UploadOut(BaseModel):
    """A file that was sent. seconds: length of a film or sound.  path: what settings name it by."""

    path: str
    kind: Literal["picture", "film", "sound"]
    width: int | None
    height: int | None
    seconds: float | None
    size: int


class ModelOut(BaseModel):
    """A model, or a part of one, that is there.

    path: what settings name it by; "" for the embedded one.  kind: `model`, or which part.  precision: number format.
    parts: path by component.  missing: what it lacks, with where it could come from.  error: why it cannot be used.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [_MODEL]})

    name: str
    path: str
    family: str
    modes: list[str]
    size_bytes: int
    embedded: bool
    error: str
    kind: str
    precision: str
    parts: dict[str, str]
    missing: list[str]
    notes: list[str]
    remedy: str


class ImportOut(BaseModel):
    """The settings a project file asks for. kind: of project.  parts: a keyframe project's own words for its film."""

    settings: dict[str, Any]
    kind: str
    parts: dict[str, Any]
    notes: list[str]


class ExportOut(BaseModel):
    """A project file or a Deforum settings file. notes: what the file's form cannot say, or only in other words."""

    text: str
    notes: list[str]


class BoxOut(BaseModel):
    """A rectangle in pixels."""

    left: int
    top: int
    width: int
    height: int


class OutpaintLookOut(BaseModel):
    """What an outpaint would be. width, height: of the film.  kept: where the source lies on it.

    work_width, work_height: of what the model makes.  frames, fps: of the source, as its file says.  chunks,
    chunk_frames, steps: as if the film were one scene.  pictures: before, canvas and mask, as data addresses.
    """

    width: int
    height: int
    kept: BoxOut
    work_width: int
    work_height: int
    feather: int
    frames: int
    fps: float
    chunks: int
    chunk_frames: int
    steps: int
    model: str
    notes: list[str]
    pictures: dict[str, str]


class CurveOut(BaseModel):
    """A curve in few points.

    likelihood: the greatest in each part of the film.  seconds: where each part begins, and the end.
    """

    likelihood: list[float]
    seconds: list[float]


class ScenesOut(BaseModel):
    """A list of scenes, as the file scenes-….json holds it, and its curve."""

    list: dict[str, Any]
    curve: CurveOut


class PicturePathOut(BaseModel):
    """Where a picture lies."""

    path: str


class PresetsOut(BaseModel):
    """The names of the presets."""

    presets: list[str]


class SettingOut(BaseModel):
    """One setting of the table."""

    name: str
    kind: str
    default: Any
    label: str
    group: str
    help: str
    minimum: float | None
    maximum: float | None
    choices: list[str]
    unit: str


class FamilyOut(BaseModel):
    """One kind of model, with what is taken where a setting is empty."""

    name: str
    label: str
    modes: list[str]
    fps: int
    native_frames: int
    size_multiple: int
    width: int
    height: int
    steps: int
    guidance_scale: float
    guidance_scale_2: float | None
    flow_shift_small: float
    flow_shift_large: float


class SettingsOut(BaseModel):
    """The table of settings, in the order in which they are shown."""

    settings: list[SettingOut]
    groups: list[str]
    families: list[FamilyOut]


class SystemOut(BaseModel):
    """The engine that answers. Times in seconds since 1970, sizes in bytes."""

    version: str
    pid: int
    started: float
    home: str
    outputs: str
    roots: list[str]
    idle_minutes: float
    max_upload_bytes: int
    free_bytes: int
    jobs: dict[JobState, int]
    devices: list[dict[str, Any]]
    devices_error: str
    workers: list[dict[str, Any]]


class HostOut(BaseModel):
    """What a WebUI is asked for. asked: jobs that want its GPU memory.  working: whether any job runs."""

    asked: list[str]
    working: bool
