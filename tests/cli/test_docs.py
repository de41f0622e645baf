"""The pages name what there is: each verb, flag and exit code, and no others; links lead somewhere."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import typer

from wan_engine import errors
from wan_engine.cli.app import app
from wan_engine.cli.flags import flag_name, flagged
from wan_engine.errors import WanError
from wan_engine.schedule.project import project_from_text
from wan_engine.settings import SETTINGS
from wan_engine.settings_outpaint import OUTPAINT_SETTINGS
from wan_engine.settings_pictures import PICTURE_SETTINGS
from wan_engine.settings_planning import PLANNING_SETTINGS
from wan_engine.settings_split import SPLIT_SETTINGS

ROOT = Path(__file__).resolve().parents[2]
CLI = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def commands() -> dict[str, set[str]]:
    """The flags of each verb."""
    group = typer.main.get_command(app)
    verbs = group.commands  # type: ignore[attr-defined]
    return {name: _flags(verb) for name, verb in verbs.items()}


def _flags(verb: Any) -> set[str]:
    """The flags of a verb and of the verbs below it."""
    own = {flag for param in verb.params for flag in (*param.opts, *param.secondary_opts) if flag.startswith("--")}
    return own.union(*(_flags(below) for below in getattr(verb, "commands", {}).values()))


def test_each_verb_is_in_the_table_and_has_its_section() -> None:
    in_table = set(re.findall(r"^\| \[`(\w+)", CLI, re.MULTILINE))
    sections = set(re.findall(r"^## (\w+)$", CLI, re.MULTILINE))
    assert in_table == sections == set(commands())


def test_each_flag_that_is_no_setting_is_told() -> None:
    settings = {
        flag_name(spec.name)
        for table in (SETTINGS, PLANNING_SETTINGS, PICTURE_SETTINGS, SPLIT_SETTINGS, OUTPAINT_SETTINGS)
        for spec in flagged(table)
    }
    own = {flag for flags in commands().values() for flag in flags if flag.replace("--no-", "--") not in settings}
    # Keyframe films' flags are told as in their projects, with underscores; both ways are taken.
    assert {flag.replace("_", "-") for flag in own} <= {
        flag.replace("_", "-") for flag in re.findall(r"--[a-z0-9_-]+", CLI)
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_flags_that_are_told_exist(page: Path) -> None:
    known = {flag for flags in commands().values() for flag in flags} | {"--help", "--version", "--neg"}
    lines = [
        line
        for line in page.read_text(encoding="utf-8").splitlines()
        if page.name == "cli.md" or re.search("(?<!-)wan-engine", line)
    ]
    told = {flag for line in lines for flag in re.findall(r"(?<![\w-])--[a-z][a-z0-9_-]+", line)}
    assert told <= known


def test_each_exit_code_is_told() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, WanError)]
    told = {int(code) for code in re.findall(r"^\| (\d+) \|", CLI, re.MULTILINE)}
    assert told == {0} | {kind.exit_code for kind in kinds}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)", text):
        file = (page.parent / target).resolve() if target else page
        assert file.exists(), f"{page.name}: {target}"
        if anchor:
            headings = re.findall(r"^#+ (.*)$", file.read_text(encoding="utf-8"), re.MULTILINE)
            names = {re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings}
            assert anchor in names, f"{page.name}: {target}#{anchor}"


def test_the_messages_that_are_explained_are_the_engines() -> None:
    """A message in the first column of a table stands in the code, with its numbers and names left out."""
    code = [path.read_text(encoding="utf-8") for path in (ROOT / "scripts" / "wan_engine").rglob("*.py")]
    source = re.sub(r'"\s*\n\s*f?"', "", "\n".join(code)).replace("{INDEX}", "model_index.json")
    page = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
    cells = [
        cell for section in page.split("\n## ")[3:-1] for cell in re.findall(r"^\| (`.*?) \|", section, re.MULTILINE)
    ]
    messages = [message for cell in cells for message in re.findall("`(.*?)`", cell)]
    assert len(messages) > 20
    for message in messages:
        pattern = re.escape(message).replace("2", r"\{.*?\}") if " 2 " in message else re.escape(message)
        assert re.search(pattern, source), message


def test_the_readmes_example_is_a_project() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```json\n(.*?)```", text, re.DOTALL)
    project = project_from_text(example, "fox.json")
    assert project.notes == ()
    assert project.settings.prompts == json.loads(example)["prompts"]
