"""The queue: claimed exactly once, leased, cancelled, resumed, kept over restarts."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from service_samples import SMALL_FILM, Clock, job
from wan_engine.errors import CapabilityError
from wan_engine.service import job_sql
from wan_engine.service.records import Job, NewJob, Progress
from wan_engine.service.store import MOST_ATTEMPTS, JobStore
from wan_engine.settings import settings_to_mapping

LEASE = 15.0
ROOT = Path(__file__).resolve().parents[2]

CLAIMER = """
import sys
from pathlib import Path
from wan_engine.service.store import JobStore
store, name = JobStore(Path(sys.argv[1])), sys.argv[2]
print("ready", flush=True)
sys.stdin.readline()
while (job := store.claim(name, "cpu", 60)) is not None:
    print(job.id)
    assert store.finish(job.id, name, "done")
"""


def claim(store: JobStore, worker: str = "w", device: str = "cpu", auto: bool = True) -> Job:
    found = store.claim(worker, device, LEASE, auto)
    assert found is not None
    return found


def states(store: JobStore, job_id: str) -> list[str]:
    return [event.data["state"] for event in store.events(job_id) if event.kind == "state"]


def test_a_job_is_kept_as_it_was_given(store: JobStore, clock: Clock) -> None:
    added = store.add(job(title="a film", batch="b1", priority=3, device="cuda:1", notes=("one", "two")))
    assert store.get(added.id) == added
    assert re.fullmatch(r"[A-Za-z0-9_-]+", added.id)
    assert (added.state, added.title, added.batch, added.priority) == ("queued", "a film", "b1", 3)
    assert (added.device, added.notes, added.created) == ("cuda:1", ("one", "two"), clock())
    assert added.settings == settings_to_mapping(SMALL_FILM)
    assert json.loads(json.dumps(added.as_dict()))["progress"]["steps_total"] == 0
    assert store.get("unknown") is None


@hypothesis_settings(max_examples=25)
@given(text=st.text())
def test_any_text_can_be_a_title_or_a_setting(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    store = JobStore(tmp_path_factory.getbasetemp() / "texts.sqlite3")
    added = store.add(NewJob({"prompts": {"0": text + "\ud800"}}, title=text + "\ud800"))
    found = store.get(added.id)
    store.close()
    assert found is not None
    assert found.settings["prompts"]["0"] == text + "\ud800"
    assert found.title == text + "?"


@hypothesis_settings(max_examples=25)
@given(priorities=st.lists(st.integers(-3, 3), min_size=1, max_size=12))
def test_the_highest_priority_goes_first_and_then_who_came_first(
    tmp_path_factory: pytest.TempPathFactory, priorities: list[int]
) -> None:
    store = JobStore(tmp_path_factory.mktemp("order") / "jobs.sqlite3")
    added = store.add_batch([NewJob({}, priority=priority) for priority in priorities])
    taken = [claim(store).id for _ in added]
    assert taken == [each.id for each in sorted(added, key=lambda each: -each.priority)]
    assert store.claim("w", "cpu", LEASE) is None
    store.close()


def test_a_changed_priority_changes_the_order(store: JobStore) -> None:
    first, second = store.add_batch([job(), job()])
    changed = store.set_priority(second.id, 5)
    assert changed is not None
    assert changed.priority == 5
    assert [claim(store).id, claim(store).id] == [second.id, first.id]
    assert store.set_priority("unknown", 1) is None


def test_a_named_device_gets_its_own_jobs_only(store: JobStore) -> None:
    named, free = store.add_batch([job(device="cuda:1"), job()])
    assert store.claim("w", "cuda:0", LEASE, auto=False) is None
    assert claim(store, "w", "cuda:0").id == free.id
    assert store.claim("w", "cuda:0", LEASE) is None
    assert claim(store, "v", "cuda:1", auto=False).id == named.id


def test_many_threads_claim_each_job_once(store: JobStore) -> None:
    added = {each.id for each in store.add_batch([job() for _ in range(100)])}
    taken: list[str] = []
    start = threading.Barrier(12)

    def work(name: str) -> None:
        start.wait()
        while (found := store.claim(name, "cpu", LEASE)) is not None:
            taken.append(found.id)

    threads = [threading.Thread(target=work, args=(f"w{number}",)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(taken) == Counter(added)


def test_three_processes_claim_each_of_200_jobs_once(tmp_path: Path) -> None:
    path = tmp_path / "jobs.sqlite3"
    store = JobStore(path)
    added = {each.id for each in store.add_batch([NewJob({}) for _ in range(200)])}
    claimers = [
        subprocess.Popen(
            [sys.executable, "-c", CLAIMER, str(path), f"w{number}"],
            env={"PYTHONPATH": str(ROOT / "scripts")},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(3)
    ]
    for claimer in claimers:
        assert claimer.stdout is not None
        assert claimer.stdout.readline() == "ready\n"
    for claimer in claimers:
        assert claimer.stdin is not None
        claimer.stdin.write("go\n")
        claimer.stdin.flush()
    taken = [claimer.communicate(timeout=120)[0].split() for claimer in claimers]
    assert [claimer.returncode for claimer in claimers] == [0, 0, 0]
    assert Counter(name for names in taken for name in names) == Counter(added)
    assert store.counts()["done"] == 200
    store.close()


def test_a_lease_that_is_renewed_does_not_run_out(store: JobStore, clock: Clock) -> None:
    store.add(job())
    taken = claim(store)
    for _ in range(5):
        clock.move(LEASE - 1)
        assert store.reap_expired() == []
        assert store.renew(taken.id, "w", LEASE) is False
    clock.move(LEASE + 1)
    (back,) = store.reap_expired()
    assert (back.id, back.state, back.worker) == (taken.id, "queued", "")
    assert states(store, taken.id) == ["queued", "running", "queued"]


def test_a_worker_that_is_known_to_live_keeps_its_job(store: JobStore, clock: Clock) -> None:
    first, second = store.add_batch([job(), job()])
    claim(store, "slow")
    claim(store, "dead")
    clock.move(LEASE + 1)
    assert [each.id for each in store.reap_expired(living={"slow"})] == [second.id]
    assert store.renew(first.id, "slow", LEASE) is False


def test_a_worker_whose_job_was_taken_changes_nothing(store: JobStore, clock: Clock) -> None:
    store.add(job())
    taken = claim(store, "dead")
    clock.move(LEASE + 1)
    store.reap_expired()
    claim(store, "new")
    assert store.renew(taken.id, "dead", LEASE) is True
    assert store.stop_wanted(taken.id, "dead") is True
    assert store.record(taken.id, "dead", Progress(step=9)) is False
    assert store.finish(taken.id, "dead", "done") is None
    assert store.release(taken.id, "dead") is None
    store.set_folder(taken.id, "dead", Path("/elsewhere"))
    found = store.get(taken.id)
    assert found is not None
    assert (found.state, found.worker, found.folder, found.progress.step) == ("running", "new", "", 0)


def test_a_job_that_takes_its_worker_down_three_times_fails(store: JobStore, clock: Clock) -> None:
    added = store.add(job())
    for attempt in range(1, MOST_ATTEMPTS + 1):
        assert claim(store).attempts == attempt
        clock.move(LEASE + 1)
        (back,) = store.reap_expired()
    assert back.state == "failed"
    assert back.error is not None
    assert "3 times" in back.error["message"]
    assert back.error["remedy"]
    again = store.resume(added.id)
    assert again is not None
    assert (again.state, again.attempts, again.error) == ("queued", 0, None)


def test_a_job_given_back_goes_on_and_counts_no_attempt(store: JobStore) -> None:
    store.add_batch([job(), job()])
    taken = claim(store)
    store.set_folder(taken.id, "w", Path("/films/1"))
    back = store.release(taken.id, "w")
    assert back is not None
    assert (back.state, back.attempts, back.folder) == ("queued", 0, str(Path("/films/1")))
    assert claim(store).id == taken.id


def test_a_queued_job_is_cancelled_at_once(store: JobStore, clock: Clock) -> None:
    added = store.add(job())
    cancelled = store.cancel(added.id)
    assert cancelled is not None
    assert (cancelled.state, cancelled.finished) == ("cancelled", clock())
    assert store.claim("w", "cpu", LEASE) is None
    assert store.cancel(added.id) == cancelled
    assert store.cancel("unknown") is None


@pytest.mark.parametrize("how", ["finish", "release", "crash"])
def test_a_running_job_is_cancelled_by_its_worker_or_by_its_worker_s_death(
    store: JobStore, clock: Clock, how: str
) -> None:
    store.add(job())
    taken = claim(store)
    assert store.stop_wanted(taken.id, "w") is False
    asked = store.cancel(taken.id)
    assert asked is not None
    assert (asked.state, asked.cancel_requested) == ("running", True)
    assert store.stop_wanted(taken.id, "w") is True
    assert store.renew(taken.id, "w", LEASE) is True
    if how == "finish":
        store.finish(taken.id, "w", "cancelled")
    elif how == "release":
        store.release(taken.id, "w")
    else:
        clock.move(LEASE + 1)
        store.reap_expired()
    found = store.get(taken.id)
    assert found is not None
    assert (found.state, found.finished, found.worker) == ("cancelled", clock(), "")


def test_a_cancelled_job_can_be_queued_again(store: JobStore) -> None:
    store.add(job())
    taken = claim(store)
    assert store.resume(taken.id) is None
    store.cancel(taken.id)
    store.finish(taken.id, "w", "cancelled")
    again = store.resume(taken.id)
    assert again is not None
    assert (again.state, again.cancel_requested, again.finished) == ("queued", False, None)
    assert claim(store).id == taken.id
    assert store.renew(taken.id, "w", LEASE) is False


def test_a_wish_that_is_not_heard_is_overdue(store: JobStore, clock: Clock) -> None:
    store.add(job())
    taken = claim(store)
    store.cancel(taken.id)
    clock.move(30)
    store.cancel(taken.id)
    assert store.overdue(60) == []
    clock.move(31)
    assert [each.id for each in store.overdue(60)] == [taken.id]


def test_what_was_made_is_kept(store: JobStore, clock: Clock) -> None:
    store.add(job(notes=("first",)))
    taken = claim(store)
    store.add_notes(taken.id, ["first", "second"])
    clock.move(5)
    done = store.finish(taken.id, "w", "done", result={"film": "/films/1.mp4"})
    assert done is not None
    assert (done.state, done.result, done.error) == ("done", {"film": "/films/1.mp4"}, None)
    assert (done.started, done.finished, done.notes) == (clock() - 5, clock(), ("first", "second"))
    assert store.resume(done.id) is None
    with pytest.raises(ValueError, match="running"):
        store.finish(taken.id, "w", "running")


def test_a_batch_is_queued_whole_or_not_at_all(store: JobStore) -> None:
    with pytest.raises(TypeError):
        store.add_batch([job(batch="b"), NewJob({"prompts": object()}, batch="b")])
    assert store.counts()["queued"] == 0


def test_jobs_are_listed_newest_first_and_page_by_page(store: JobStore) -> None:
    ids = [store.add(job()).id for _ in range(5)]
    store.cancel(ids[1])
    assert [each.id for each in store.list()] == ids[::-1]
    assert [each.id for each in store.list(limit=2)] == [ids[4], ids[3]]
    assert [each.id for each in store.list(limit=2, before=ids[3])] == [ids[2], ids[1]]
    assert [each.id for each in store.list(["queued"], before=ids[3])] == [ids[2], ids[0]]
    assert store.list(["done"]) == []
    assert store.counts() == {"queued": 4, "running": 0, "done": 0, "failed": 0, "cancelled": 1}


def test_a_record_is_removed_with_its_events_unless_it_runs(store: JobStore) -> None:
    first, second = store.add_batch([job(), job()])
    claim(store)
    assert store.delete(first.id) is False
    assert store.delete(second.id) is True
    assert store.delete(second.id) is False
    assert store.events(second.id) == []
    assert store.append_event(second.id, "note", "too late") == 0
    assert store.events(first.id) != []


def test_jobs_of_a_device_that_is_not_there_fail(store: JobStore) -> None:
    named, free = store.add_batch([job(device="cuda:7"), job()])
    assert store.wanted_devices() == {"cuda:7": 1, "auto": 1}
    (failed,) = store.fail_queued("cuda:7", CapabilityError("there is no such device", "Use cpu"))
    assert (failed.id, failed.state) == (named.id, "failed")
    assert failed.error == {"error": "CapabilityError", "message": "there is no such device", "remedy": "Use cpu"}
    assert store.wanted_devices() == {"auto": 1}
    assert states(store, named.id) == ["queued", "failed"]
    assert states(store, free.id) == ["queued"]


def test_everything_outlives_the_process(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "jobs.sqlite3"
    before = JobStore(path, clock)
    ids = [each.id for each in before.add_batch([job(), job()])]
    claim(before)
    before.record(ids[0], "w", Progress(kind="step", step=2, steps=4))
    before.close()
    after = JobStore(path, clock)
    assert [each.state for each in after.list()] == ["queued", "running"]
    assert [event.number for event in after.events(ids[0])] == [1, 2, 3]
    assert after.renew(ids[0], "w", LEASE) is False, "the worker may outlive its server"
    clock.move(LEASE + 1)
    assert [each.id for each in after.reap_expired()] == [ids[0]]
    after.close()


def test_the_queue_is_read_by_its_index(store: JobStore) -> None:
    plan = store.database.all("EXPLAIN QUERY PLAN " + job_sql.NEXT, {"device": "cpu", "auto": True})
    words = " ".join(str(row["detail"]) for row in plan)
    assert "jobs_queue" in words
    assert "TEMP B-TREE" not in words
