"""The Wan tab as a user sees it: what can be written, pressed and read, the same in every gradio."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Locator, Page, expect

FILM_SECONDS = 300
"""Longest wait for a film of the small model, with the start of its worker, on a busy machine."""

SMALL_FILM: Mapping[str, str] = {
    "prompts": "0: a red circle moves right on a black background\n12: a blue square moves left on a black background",
    "width": "64",
    "height": "64",
    "max_frames": "24",
    "fps": "8",
    "steps": "4",
    "seed": "7",
}
"""Three seconds in two clips."""

LONG_FILM: Mapping[str, str] = {
    **SMALL_FILM,
    "prompts": "\n".join(f"{12 * number}: a red circle moves right on a black background" for number in range(6)),
    "max_frames": "72",
    "steps": "24",
}
"""Six clips: long enough to be interrupted, short enough to be waited for."""

_PICTURE = """(video) => {
    const canvas = document.createElement("canvas");
    canvas.width = video.videoWidth;
    canvas.height = video.videoHeight;
    const pen = canvas.getContext("2d");
    pen.drawImage(video, 0, 0);
    return Array.from(pen.getImageData(0, 0, canvas.width, canvas.height).data);
}"""

# The picture is drawn by another thread, which may come behind the seeking's end.
_SEEK = """(video, seconds) => new Promise((resolve) => {
    video.pause();
    const drawn = new Promise((go) => video.requestVideoFrameCallback(go));
    const sought = new Promise((go) => video.addEventListener("seeked", go, { once: true }));
    video.currentTime = seconds;
    Promise.all([drawn, sought]).then(() => resolve(video.currentTime));
})"""

_SECONDS = """(video) => video.readyState ? video.duration
    : new Promise((go) => { video.onloadedmetadata = () => go(video.duration); })"""

# gradio tells the script of a control's new value when it comes to it.
_LISTEN = """() => {
    if (window.changesHeard !== undefined) return;
    const hear = wanTab.changed;
    window.changesHeard = 0;
    wanTab.changed = () => { window.changesHeard += 1; hear(); };
}"""
_HEARD = "window.changesHeard"
_HEARS_MORE = "(before) => window.changesHeard > before"

_JOBS = "() => wanTab.server.api('jobs?limit=500').then(({ jobs }) => jobs.map(({ id }) => id), () => [])"
_WATCHES_NEW = "(old) => wanTab.result.job && !old.includes(wanTab.result.id)"

_MODELS_TOLD = """(number) =>
    Number(document.querySelector("#wan_answer_models [data-number]")?.dataset.number ?? 0) >= number"""


@dataclass(frozen=True)
class Wide:
    """Widths in pixels of a page: what is seen, and what there is to scroll to."""

    seen: int
    whole: int


class WanTab:
    """The tab on one page of a browser."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.root = page.locator("#wan").first
        self.pages = page.locator("#wan .wan-tab")
        self.timeline = page.locator("#wan_timeline").first
        self.problems = page.locator("#wan .wan-problems")
        self.generate = page.locator("#wan_generate")
        self.interrupt = page.locator("#wan_interrupt")
        self.resume = page.locator("#wan_resume")
        self.chip = page.locator("#wan .wan-stage .wan-chip")
        self.bar = page.locator("#wan .wan-stage .wan-bar")
        self.status = page.locator("#wan .wan-stage .wan-status")
        self.preview = page.locator("#wan .wan-stage img.wan-preview")
        # Until it is there, a clip or what there was of it before may be shown.
        self.film = page.locator("#wan .wan-stage video[aria-label='The film']")
        self.jobs = page.locator("#wan .wan-job")
        self.news = page.locator("#wan_told")
        self.presets = page.locator("#wan .wan-tools select")
        self.model_details = page.locator("#wan_model_details")
        self.tried = page.locator("#wan .wan-stage details").filter(has_text="What was tried")

    # ------------------------------------------------------------------------------------------------- the page

    def open(self, address: str) -> None:
        """Load the page and show the tab."""
        self.page.goto(address)
        self.show()

    def reload(self) -> None:
        """Load the page again and show the tab."""
        self.page.reload()
        self.show()

    def show(self) -> None:
        """Press the tab's button, where the page has tabs, and wait until the script has made its parts."""
        self.page.locator("#wan_prompts textarea").wait_for(state="attached", timeout=60_000)
        while self.page.locator("#tabs").count() and not self.root.is_visible():
            # The tabs' buttons come late, and a click is lost as long as gradio has not woken the page up.
            button = self._tab_button("Wan")
            if button.count():
                button.first.click()
            self.page.wait_for_timeout(500)
        expect(self.page.locator("#wan .wan-engine-words")).not_to_be_empty()
        self.page.evaluate(_LISTEN)

    def _tab_button(self, name: str) -> Locator:
        """What shows a tab of the WebUI; gradio 3 does not call it a tab."""
        button = self.page.get_by_role("tab", name=name, exact=True)
        old = self.page.locator("#tabs > .tab-nav > button").filter(has_text=re.compile(rf"^\s*{name}\s*$"))
        return button if button.count() else old

    def reload_ui(self) -> None:
        """Press the WebUI's own button that starts its pages anew; a page that was pressed already is empty."""
        if not self._tab_button("Settings").count():
            return
        self._tab_button("Settings").first.click()
        self.page.get_by_role("button", name="Reload UI").click()

    def wide(self) -> Wide:
        """How wide the page is."""
        return Wide(*self.page.evaluate("[window.innerWidth, document.scrollingElement.scrollWidth]"))

    # ------------------------------------------------------------------------------------------------- the form

    def box(self, name: str) -> Locator:
        """The box of a setting that is written into."""
        return self.page.locator(f"#wan_{name} textarea, #wan_{name} input").first

    def write(self, values: Mapping[str, str]) -> None:
        """Fill in settings by name and wait until the plan follows."""
        for name, text in values.items():
            if self.box(name).input_value() != text:
                with self._change():
                    self.box(name).fill(text)
        self.settle()

    @contextmanager
    def _change(self) -> Iterator[None]:
        """Waits until the tab has heard of what is changed inside."""
        before = self.page.evaluate(_HEARD)
        yield
        self.page.wait_for_function(_HEARS_MORE, arg=before)

    def write_box(self, name: str, text: str) -> None:
        """Fill in one setting of any page."""
        self.box(name).fill(text)

    def settle(self) -> None:
        """Wait until the shown plan is that of the form, as far as the tab has heard of changes."""
        expect(self.timeline).not_to_have_class(re.compile("wan-stale"), timeout=60_000)

    def shows(self, values: Mapping[str, str]) -> None:
        """Wait until these texts stand in the boxes of these settings."""
        for name, text in values.items():
            expect(self.box(name)).to_have_value(text)

    def prompt_blocks(self) -> Locator:
        """The coloured stretches of the timeline, one a prompt."""
        return self.timeline.locator(".wan-prompts .wan-block")

    def place(self) -> Locator:
        """The buttons of the problems that lead to their places."""
        return self.problems.locator(".wan-place")

    def selected_text(self, name: str) -> str:
        """What is selected in a setting's box."""
        return str(self.box(name).evaluate("(box) => box.value.slice(box.selectionStart, box.selectionEnd)"))

    def save_preset(self, name: str) -> None:
        """Keep the form under a name."""
        self.page.get_by_role("button", name="Save as preset").click()
        self.page.get_by_label("Name of the new preset").fill(name)
        self.page.locator("#wan_preset_save").click()
        expect(self.presets).to_have_value(name)

    def choose_preset(self, name: str) -> None:
        """Fill the form with a preset."""
        expect(self.presets).to_be_enabled()
        self.presets.select_option(name)

    def models(self, *names: str) -> list[str]:
        """What the list of models offers, after it was looked for anew; waits until these are among it."""
        number = self.page.evaluate("wanTab.server.nextNumber()")
        self.page.locator("#wan_models_refresh").click()
        self.page.wait_for_function(_MODELS_TOLD, arg=number)
        self.box("model").click()
        expect(self._options().nth(1)).to_be_visible()
        for name in names:
            expect(self._options().filter(has_text=name)).to_have_count(1)
        offered = self._options().all_inner_texts()
        self.box("model").blur()
        return [name.strip().removeprefix("✓").strip() for name in offered]

    def choose_model(self, start: str) -> None:
        """Choose the model whose name in the list starts so, and wait until the plan follows."""
        self.box("model").click()
        with self._change():
            self._options().filter(has_text=re.compile(rf"^\W*{re.escape(start)}")).first.click()
        self.settle()

    def _options(self) -> Locator:
        """The entries of the list that is open."""
        return self.page.locator("ul.options li, ul[role=listbox] li")

    # ------------------------------------------------------------------------------------------------- the film

    @contextmanager
    def new_job(self) -> Iterator[None]:
        """Waits until the tab watches the job that is ordered inside: so long it shows the one before, or none.

        How it stands then is left open: a quick machine may have made it.
        """
        before = self.page.evaluate(_JOBS)
        yield
        self.page.wait_for_function(_WATCHES_NEW, arg=before, timeout=FILM_SECONDS * 1000)

    def begin(self) -> None:
        """Press Generate and wait until the tab watches the new job."""
        with self.new_job():
            self.generate.click()

    def wait_for(self, state: str, seconds: float = FILM_SECONDS) -> None:
        """Wait until the shown film's state is this word."""
        expect(self.chip).to_have_text(state, timeout=seconds * 1000)

    def wait_for_steps(self, percent: int) -> None:
        """Wait until that much of the film's steps is done."""
        self.page.wait_for_function(
            "(percent) => Number(document.querySelector('#wan .wan-stage .wan-bar').ariaValueNow) >= percent",
            arg=percent,
            timeout=FILM_SECONDS * 1000,
        )

    def progress(self) -> int:
        """Per cent of the film's steps."""
        return int(self.bar.get_attribute("aria-valuenow") or 0)

    def video_seconds(self) -> float:
        """Length of the film as the browser reads it."""
        return float(self.film.evaluate(_SECONDS))

    def picture_at(self, seconds: float) -> list[int]:
        """The bytes (RGBA) of the film's picture at a time, after seeking to it."""
        arrived: Any = self.film.evaluate(_SEEK, seconds)
        assert abs(arrived - seconds) < 0.01
        return list(self.film.evaluate(_PICTURE))

    def job(self, title: str) -> Locator:
        """The entry of the jobs list with this title, the newest first."""
        return self.jobs.filter(has=self.page.locator(".wan-job-title", has_text=title)).first
