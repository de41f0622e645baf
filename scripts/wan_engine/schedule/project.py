"""Reads what a user hands in, a project file, a Deforum settings file or prompts alone, into checked settings."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from wan_engine.errors import InputError, Problem, ProblemList
from wan_engine.schedule.deforum import Draft, draft_from_deforum, is_deforum, text_by_key
from wan_engine.schedule.deforum_export import OWN_KEY, use_exact
from wan_engine.schedule.deforum_names import SAME, is_deforum_name
from wan_engine.schedule.documents import Document, read_json
from wan_engine.schedule.entries import stop_if_many
from wan_engine.schedule.film_schedule import read_schedule
from wan_engine.schedule.keyframes import draft_from_keyframes, is_keyframes
from wan_engine.schedule.lines import read_lines
from wan_engine.schedule.movement import with_movement, without_words
from wan_engine.schedule.paths import whole_path
from wan_engine.schedule.storyboard import Storyboard
from wan_engine.schedule.storyboard_file import KIND, in_folder, is_storyboard, storyboard_from_values
from wan_engine.schedule.storyboard_film import draft_from_storyboard
from wan_engine.schedule.text_file import read_text
from wan_engine.schedule.yaml_documents import read_yaml
from wan_engine.setting_spec import is_model_name, path_lines
from wan_engine.settings import PROJECT_VERSION, SETTINGS, Settings, settings_to_mapping
from wan_engine.settings_check import nearest_name, settings_from_mapping

KINDS = ("schedule", "keyframes", KIND)
"""The kinds of project file this engine reads."""

_READ = ", ".join(f'"{kind}"' for kind in KINDS)

MOST_PROBLEMS = 100
"""More are not told: nobody reads them."""

_OTHER_VERBS = {"outpaint": "outpaint"}
"""Kinds that make no film of prompts, and the verb that takes them."""

_FRAME_KEY = re.compile(r"""[\s"'(]*([-+]?[0-9.]|max_f|[a-z0-9_]+\()""")
_NAME_FIRST = re.compile(r"""\s*(---|%YAML|["']?(?!max_f\b)[A-Za-z_][\w-]*["']?\s*:(\s|$))""")
_WORDS_OF_YAML = (".yaml", ".yml")


@dataclass(frozen=True)
class Project:
    """A film as a file asks for it.

    settings: checked; paths absolute.  notes: what was ignored or chosen while reading.  file: its name, for errors.
    storyboard: what the settings were made of, if the file is one; its keyframes may lack pictures.
    kind: of `KINDS`.  parts: of a keyframe project its `keyframes`, `prompt` and `sub_prompts`, paths as written.
    """

    settings: Settings
    notes: tuple[str, ...] = ()
    file: str = ""
    storyboard: Storyboard | None = None
    kind: str = "schedule"
    parts: Mapping[str, Any] = field(default_factory=dict)


def load_project(path: Path, movement: bool = False) -> Project:
    """The project in a file; paths inside it count from the file's folder.

    movement: turn the camera movement of a Deforum file into words of its prompts.
    Raises InputError with every problem of the file: of its form, of the settings and of the schedules in them.
    """
    return project_from_text(read_text(path), str(path), path.absolute().parent, movement)


def project_from_text(text: str, name: str = "", folder: Path | None = None, movement: bool = False) -> Project:
    """As `load_project`, for text from elsewhere. name: for errors; its ending says whether it is JSON or YAML.

    folder: where relative paths count from; None leaves them as they are.  movement: as there.
    """
    try:
        document = _document(text.removeprefix("\ufeff"), name)
        draft = _draft(document.value)
    except InputError as error:
        raise _named(error.problems, name) from error
    settings = _checked(draft, name)
    settings = with_folder(settings, folder) if folder else settings
    notes = [*document.notes, *draft.notes]
    left = list(draft.camera)
    if movement:
        try:
            settings, told = with_movement(settings, draft.camera, draft.mode)
        except InputError as error:
            raise _named(error.problems, name) from error
        notes += told or ["The file moves no camera: no words were added"]
        left = without_words(draft.camera, draft.mode)
    if left:
        asked = f"Wan does not do what this file also asks for: camera movement ({', '.join(left)})"
        notes.append(asked if movement else f"{asked}; `movement` turns it into words of the prompts")
    story = in_folder(draft.storyboard, folder) if draft.storyboard and folder else draft.storyboard
    return Project(settings, tuple(notes), name, story, draft.kind, draft.parts)


def project_from_values(values: Mapping[str, Any], folder: Path) -> Project:
    """The project of values as a file with `kind` holds them; relative paths count from `folder`. Raises InputError."""
    draft = _own_draft(values)
    story = in_folder(draft.storyboard, folder) if draft.storyboard else None
    return Project(with_folder(_checked(draft, ""), folder), tuple(draft.notes), storyboard=story)


def values_of_file(path: Path) -> dict[str, Any]:
    """The plain values of a project file, for whoever puts flags over them. Raises InputError when it holds none."""
    try:
        document = _document(read_text(path).removeprefix("\ufeff"), str(path))
    except InputError as error:
        raise _named(error.problems, str(path)) from error
    if not isinstance(document.value, dict):
        raise InputError(Problem("it holds no settings", "Write one name and its value a line", file=str(path)))
    return dict(document.value)


def settings_from_values(values: Mapping[str, Any]) -> Settings:
    """Checked settings from values by our own names, as a file with `kind: schedule` holds them; paths as they are.

    Raises InputError with every problem of the settings and of the schedules in them.
    """
    return _checked(_own_draft(values), "")


def project_to_text(settings: Settings) -> str:
    """The settings as the text of a JSON project file that reads back to equal settings."""
    values = {"kind": "schedule", "version": PROJECT_VERSION, **settings_to_mapping(settings)}
    return json.dumps(values, indent=2, ensure_ascii=False) + "\n"


def _document(text: str, name: str) -> Document:
    """The plain values of a text, by the form it has: JSON, YAML, or one prompt a line."""
    if not text.strip():
        raise InputError(Problem("it is empty", 'Write at least one prompt, such as "0: a red circle moves right"'))
    ending = Path(name).suffix.lower()
    if ending in _WORDS_OF_YAML:
        return read_yaml(text)
    if ending == ".json" or text.lstrip()[0] in "{[":
        return read_json(text)
    lines = (line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#"))
    return read_yaml(text) if _NAME_FIRST.match(next(lines, "")) else read_lines(text)


def _draft(values: Any) -> Draft:
    """The user's values by setting, from whichever kind of file they are."""
    if isinstance(values, list):
        remedy = 'Write an object of key and text, such as {"0": "a cat", "30": "a dog"}'
        raise InputError(Problem("it is a list", remedy))
    if not isinstance(values, dict):
        raise InputError(Problem("it holds no settings and no prompts", 'Write {"prompts": {"0": "a cat"}}'))
    if "kind" in values or "version" in values:
        return _own_draft(values)
    if is_keyframes(values):
        return draft_from_keyframes(values)
    if is_storyboard(values):
        return draft_from_storyboard(storyboard_from_values(values))
    if is_deforum(values):
        return _deforum_draft(values)
    if any(_FRAME_KEY.match(key) and key not in SETTINGS for key in values) or not values:
        return Draft({"prompts": values})
    return _own_draft(values)


def _deforum_draft(values: Mapping[str, Any]) -> Draft:
    """What a Deforum file asks for; one that this engine wrote holds what Deforum has no words for as well."""
    given = {name: value for name, value in values.items() if name != OWN_KEY}
    draft, own = draft_from_deforum(given), values.get(OWN_KEY)
    if own is None:
        return draft
    settings, written = (own.get("settings"), own.get("written")) if isinstance(own, dict) else (None, None)
    if not isinstance(settings, dict) or not isinstance(written, dict):
        remedy = "Remove it; it is only there for this engine to read the file back"
        draft.problems.add(Problem("it is not what this engine writes", remedy, field=OWN_KEY))
        return draft
    exact = _own_draft({**settings, "version": own.get("version")})
    for problem in exact.problems:
        draft.problems.add(problem)
    use_exact(draft, given, exact.values, written)
    return draft


def _own_draft(values: Mapping[str, Any]) -> Draft:
    kind, version = values.get("kind", "schedule"), values.get("version", PROJECT_VERSION)
    if kind not in KINDS:
        raise InputError(_wrong_kind(kind))
    if isinstance(version, bool) or version != PROJECT_VERSION:
        message = f"version {str(version)[:80]!r} cannot be read"
        raise InputError(Problem(message, f"This engine reads version {PROJECT_VERSION}", field="version"))
    if kind == "keyframes":
        return draft_from_keyframes(values)
    if kind == KIND:
        return draft_from_storyboard(storyboard_from_values(values))
    return _schedule_draft(values)


def _schedule_draft(values: Mapping[str, Any]) -> Draft:
    draft = Draft()
    for name, value in values.items():
        if name in ("kind", "version"):
            continue
        if name not in SETTINGS:
            draft.problems.add(Problem("it is not a setting", _remedy(name), field=name[:80]))
            stop_if_many(draft.problems, "")
        elif SETTINGS[name].kind not in ("prompts", "images"):
            draft.values[name] = value
        elif (entries := text_by_key(value, name, draft)) is not None or value is None:
            draft.values[name] = entries
    return draft


def _wrong_kind(kind: Any) -> Problem:
    if isinstance(kind, str) and kind in _OTHER_VERBS:
        verb = f"wan-engine {_OTHER_VERBS[kind]}"
        return Problem(f"a project of kind {kind} is no film of prompts", f"Give it to {verb}", field="kind")
    return Problem(f"{str(kind)[:80]!r} is not a kind of project", f"This engine reads {_READ}", field="kind")


def _remedy(name: str) -> str:
    if name in SAME:
        return f'That is Deforum\'s name; write "{SAME[name]}"'
    if is_deforum_name(name):
        return "That is a name of Deforum's files; leave out kind and version to have the file read as one"
    return nearest_name(name[:80], tuple(SETTINGS))


def _checked(draft: Draft, file: str) -> Settings:
    """The settings of a draft, after its values and all schedules in them were read. Raises all problems together."""
    problems = ProblemList()
    for problem in draft.problems:
        problems.add(problem)
    try:
        settings = settings_from_mapping(draft.values)
    except InputError as error:
        problems.extend(error)
        wrong = {problem.field for problem in error.problems}
        settings = settings_from_mapping({name: value for name, value in draft.values.items() if name not in wrong})
    # The seed may still have to be drawn, and prompts may come from a flag: neither is a problem of the file.
    checked = replace(settings, seed=max(settings.seed, 0), prompts=settings.prompts or {"0": ""})
    try:
        read_schedule(checked)
    except InputError as error:
        problems.extend(error)
    if problems:
        raise _named([replace(p, field=draft.names.get(p.field, p.field)) for p in problems], file)
    return settings


def _named(problems: list[Problem] | tuple[Problem, ...], file: str) -> InputError:
    return InputError(replace(problem, file=problem.file or file) for problem in problems[:MOST_PROBLEMS])


def with_folder(settings: Settings, folder: Path) -> Settings:
    """The settings with absolute paths: relative ones count from `folder`, `~` is the user's home.

    Web addresses stay: whoever reads the file refuses them.
    """
    changed: dict[str, Any] = {}
    for name, spec in SETTINGS.items():
        value = getattr(settings, name)
        if spec.kind == "path":
            changed[name] = whole_path(folder, value)
        elif spec.kind == "model":
            changed[name] = value if is_model_name(value, folder) else whole_path(folder, value)
        elif spec.kind == "paths":
            changed[name] = "\n".join(whole_path(folder, path) for path in path_lines(value))
        elif spec.kind == "images":
            changed[name] = {key: whole_path(folder, path) for key, path in value.items()}
    return replace(settings, **changed)
