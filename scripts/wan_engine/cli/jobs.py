"""The verb `jobs`: looks at the running engine's queue, and stops, resumes and waits for jobs in it."""

from __future__ import annotations

import time
from enum import StrEnum
from typing import Annotated, Any

import typer

from wan_engine.cli.engine_client import EngineClient, error_from
from wan_engine.cli.flags import verb
from wan_engine.cli.progress import event_line
from wan_engine.cli.screen import Screen, one_line, time_words
from wan_engine.cli.serve import HomeOption
from wan_engine.errors import Cancelled, InputError, Problem
from wan_engine.render.events import Event

_POLL_SECONDS = 0.5
_ENDED = ("done", "failed", "cancelled")


class Action(StrEnum):
    """What is done with jobs."""

    LIST = "list"
    SHOW = "show"
    CANCEL = "cancel"
    RESUME = "resume"
    WAIT = "wait"
    FOLLOW = "follow"


@verb()
def jobs(
    screen: Screen,
    action: Annotated[Action, typer.Argument(help="list them all, or do the rest with one job.")] = Action.LIST,
    job: Annotated[str | None, typer.Argument(metavar="ID", help="The job's id, as list shows it.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="Jobs that list shows.")] = 50,
    home: HomeOption = None,
) -> None:
    """Look at the running engine's jobs, stop, resume or wait for one. follow waits and shows what happens."""
    if (job is None) != (action is Action.LIST):
        message = "list takes no job" if job else f"{action} needs the id of a job"
        raise InputError(Problem(message, "wan-engine jobs list shows the ids", field="ID"))
    with EngineClient(home) as engine:
        if action is Action.LIST:
            _show_list(screen, engine.ask("GET", "/jobs", params={"limit": limit}))
        elif action is Action.SHOW:
            _show_job(screen, engine.ask("GET", f"/jobs/{job}"))
        elif action in (Action.CANCEL, Action.RESUME):
            _show_job(screen, engine.ask("POST", f"/jobs/{job}/{action}"))
        else:
            _wait(screen, engine, str(job), follow=action is Action.FOLLOW)


def _wait(screen: Screen, engine: EngineClient, job_id: str, follow: bool) -> None:
    """Wait for the job's end. Ends with the error of a failed job, so that the exit code tells it."""
    told = 0
    while True:
        job = engine.ask("GET", f"/jobs/{job_id}")
        while follow and (events := engine.ask("GET", f"/jobs/{job_id}/events", params={"after": told})):
            for event in events:
                screen.line(screen.err, _event_line(event))
            told = events[-1]["number"]
        if job["state"] in _ENDED:
            break
        time.sleep(_POLL_SECONDS)
    if job["state"] == "failed":
        raise error_from(job["error"])
    if job["state"] == "cancelled":
        raise Cancelled("the job was cancelled", f"To go on: wan-engine jobs resume {job_id}")
    _show_job(screen, job)


def _event_line(event: dict[str, Any]) -> str:
    if event["kind"] == "state":
        return f"{event['data']['state']}{': ' if event['message'] else ''}{one_line(event['message'])}"
    known = {name: value for name, value in event["data"].items() if name in Event.__dataclass_fields__}
    return one_line(event_line(Event(event["kind"], event["message"], **known)))


def _show_list(screen: Screen, values: dict[str, Any]) -> None:
    if screen.json:
        screen.document(values)
        return
    for job in values["jobs"]:
        screen.line(screen.out, job_line(job))
    counts = ", ".join(f"{count} {state}" for state, count in values["counts"].items() if count)
    screen.line(screen.out, counts or "no jobs")


def _show_job(screen: Screen, job: dict[str, Any]) -> None:
    if screen.json:
        screen.document(job)
        return
    screen.line(screen.out, job_line(job))
    if job["folder"]:
        screen.line(screen.out, f"Folder: {one_line(job['folder'])}")
    for name, path in (job["result"] or {}).items():
        if name != "folder":
            screen.line(screen.out, f"{name.capitalize()}: {one_line(str(path))}")
    for note in job["notes"]:
        screen.line(screen.out, f"Note: {one_line(note)}", style="yellow")


def job_line(job: dict[str, Any]) -> str:
    """One job in words: `20260102-1a2b: running, 45%, about 20 s left: fox`."""
    progress, words = job["progress"], [job["state"]]
    if job["state"] == "running" and progress["steps_total"]:
        words.append(f"{100 * progress['steps_done'] // progress['steps_total']}%")
        if progress["seconds_left"] is not None:
            words.append(f"about {time_words(progress['seconds_left'])} left")
    if job["state"] == "running" and job["cancel_requested"]:
        words.append("stopping")
    why = f" ({one_line(job['error']['message'], 100)})" if job["error"] else ""
    return f"{job['id']}: {', '.join(words)}: {one_line(job['title'], 60)}{why}"
