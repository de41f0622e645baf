"""What a user does with the tab, as tests over a running server; each kind of host runs all of them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, cast

import pytest
from playwright.sync_api import expect

from browser.chromium import Window
from browser.looks import contrasts, nameless, repeated_ids, unexplained
from browser.servers import Server
from browser.wan_page import LONG_FILM, SMALL_FILM, WanTab

READABLE = 4.5
"""Least contrast of text, WCAG 2.2 success criterion 1.4.3."""

_ASKED_AT_ONCE = """async () => {
    const names = ["read", "keyframes_read", "storyboard_read", "scenes_read", "read", "storyboard_plan"];
    const ask = (name) => wanTab.server.ask(name, { storyboard: {} }, 30000).then(() => "", () => name);
    const lost = [];
    for (let round = 0; round < 2; round += 1) lost.push(...await Promise.all(names.map(ask)));
    return lost.filter(Boolean);
}"""
"""The names of the questions that got no answer, of several that are asked in the same moment."""

_WATCH_ONE_THAT_FAILS = """async () => {
    const settings = { prompts: { 0: "a red circle" }, device: "cuda:77" };
    const { jobs } = await wanTab.server.api("renders", { method: "POST", body: { settings } });
    wanTab.result.follow(jobs[0].id);
}"""
"""Orders a film of a device that is not there, and shows its job."""

_OVERTAKEN = """async () => {
    const ask = wanTab.server.ask, plan = document.querySelector("#wan_timeline"), pause = wanTab.dom.pause;
    let answered;
    wanTab.server.ask = (...given) => {
        wanTab.server.ask = ask;
        answered = ask(...given).then(async (answer) => {
            await pause(1000); // it is shown
            wanTab.changed();
            return answer;
        });
        return answered;
    };
    wanTab.changed();
    while (!answered) await pause(10);
    await answered;
    await pause(0);
    return plan.classList.contains("wan-stale");
}"""
"""Whether the plan is called stale just after an answer to a question that was asked before the last change."""

_OPENS_LATE = """() => document.addEventListener("click", (event) => {
    const fold = event.target.closest("#wan_more_start .label-wrap");
    event.stopImmediatePropagation();
    setTimeout(() => fold.click(), 1000);
}, { capture: true, once: true })"""
"""A browser that is busy when the next click comes."""

_DRAWN_WHEN_PRESSED = """() => document.addEventListener("pointerdown", () => {
    wanTab.jobs.drawn = "";
    wanTab.jobs.refresh();
}, { once: true })"""

HOSTILE = '<img src=x onerror="window.ran = 1"><b>circle</b>'


class Story:
    """The tests; a class made of it says by its fixture `server` on which host."""

    def test_the_timeline_follows_the_text(self, tab: WanTab) -> None:
        tab.write(SMALL_FILM)
        expect(tab.prompt_blocks()).to_have_count(2)
        expect(tab.timeline).to_contain_text("24 frames at 8 fps")
        expect(tab.timeline).to_contain_text("64 × 64")
        tab.box("prompts").press_sequentially("\n2s: a green triangle")
        expect(tab.prompt_blocks()).to_have_count(3)
        expect(tab.prompt_blocks().nth(2)).to_have_text("a green triangle")

    def test_a_plan_that_a_change_overtook_stays_stale(self, tab: WanTab) -> None:
        tab.write(SMALL_FILM)
        assert tab.page.evaluate(_OVERTAKEN) is True
        tab.settle()

    def test_a_path_is_put_into_a_box_that_unfolds_late(self, tab: WanTab) -> None:
        tab.page.evaluate(_OPENS_LATE)
        tab.page.evaluate("wanTab.form.put('init_video', 'film.mp4')")
        expect(tab.box("init_video")).to_have_value("film.mp4")
        expect(tab.box("init_video")).to_be_focused()

    def test_an_error_is_shown_at_its_line(self, tab: WanTab) -> None:
        tab.write({**SMALL_FILM, "prompts": "0: a red circle\n12 + : a blue square\n18: a green triangle"})
        expect(tab.place()).to_have_text('prompts, key "12 +", column 5')
        expect(tab.page.locator("#wan_prompts.wan-wrong")).not_to_have_count(0)
        expect(tab.page.locator("#wan_prompts .wan-backdrop mark")).to_have_text("12 + : a blue square")
        tab.place().click()
        tab.page.wait_for_function("document.activeElement.tagName === 'TEXTAREA'")
        assert tab.selected_text("prompts") == " : a blue square"
        # The same column in a prompt's text, and in the whole of a schedule.
        tab.write({"prompts": "0: a red circle\n12: a `foo(t)` square"})
        tab.place().click()
        tab.page.wait_for_function("document.activeElement.selectionEnd > document.activeElement.selectionStart")
        assert tab.selected_text("prompts") == "foo(t)` square"
        tab.write({"prompts": SMALL_FILM["prompts"], "guidance_scale": "0: (3), 12: (foo)"})
        tab.place().click()
        tab.page.wait_for_function("document.activeElement.selectionEnd > document.activeElement.selectionStart")
        assert tab.selected_text("guidance_scale") == "foo)"
        tab.write({"guidance_scale": ""})
        tab.write({"prompts": "0: a red circle\na blue square"})
        expect(tab.place()).to_contain_text("line 2")
        tab.write({"prompts": SMALL_FILM["prompts"], "steps": "many"})
        expect(tab.place()).to_contain_text("steps")
        tab.write({"steps": "4"})
        expect(tab.problems).to_have_count(0)
        expect(tab.page.locator("#wan .wan-wrong")).to_have_count(0)

    def test_questions_of_one_moment_are_all_answered(self, tab: WanTab) -> None:
        assert tab.page.evaluate(_ASKED_AT_ONCE) == []

    def test_a_film_is_made_and_plays(self, tab: WanTab, server: Server) -> None:
        tab.write(SMALL_FILM)
        tab.begin()
        tab.wait_for("finished")
        assert tab.video_seconds() == pytest.approx(3.0, abs=0.13)
        early, late = tab.picture_at(0.5), tab.picture_at(2.5)
        assert _changed_share(early, late) > 0.02
        assert tab.picture_at(0.5) == early
        expect(tab.page.locator("#wan .wan-files a").filter(has_text=".mp4")).to_have_count(1)
        expect(tab.page.locator("#wan .wan-sheet img")).to_be_visible()
        expect(tab.job("a red circle").locator(".wan-chip")).to_have_text("finished")
        seam = tab.page.locator("#wan_made .wan-seam")
        expect(seam).to_have_count(1)
        seam.focus()
        expect(tab.page.locator("#wan_made .wan-seam-words")).to_contain_text("Seam at 1.50 s (frame 12)")
        seam.press("Enter")
        tab.page.wait_for_function("document.querySelector('#wan .wan-stage video').currentTime >= 0.9")
        assert server.engine() is not None
        # Nothing of it is seen beside a job that has made nothing.
        tab.page.evaluate(_WATCH_ONE_THAT_FAILS)
        tab.wait_for("failed")
        expect(tab.problems).to_contain_text('no device "cuda:77"')
        expect(tab.film).to_have_count(0)
        expect(tab.page.locator("#wan .wan-files a")).to_have_count(0)

    def test_keys_start_and_interrupt_and_a_stopped_film_goes_on(self, tab: WanTab) -> None:
        tab.write(LONG_FILM)
        with tab.new_job():
            tab.box("prompts").press("Control+Enter")
        tab.wait_for("rendering")
        expect(tab.preview).to_be_visible()
        expect(tab.status).to_contain_text("of 6")
        tab.wait_for_steps(30)
        expect(tab.interrupt).to_be_visible()
        tab.page.evaluate("document.activeElement.blur()")
        tab.page.keyboard.press("Escape")
        tab.wait_for("stopped")
        stopped = tab.progress()
        assert 30 <= stopped < 100
        expect(tab.interrupt).to_be_hidden()
        tab.resume.click()
        tab.wait_for("finished")
        assert tab.video_seconds() == pytest.approx(9.0, abs=0.13)
        # What was finished before is not rendered again.
        expect(tab.page.locator("#wan .wan-stage .wan-log")).to_contain_text("kept", use_inner_text=False)

    def test_a_film_outlives_its_windows_and_the_host(
        self, tab: WanTab, window: Window, server: Server, open_window: Any
    ) -> None:
        tab.write(LONG_FILM)
        tab.begin()
        tab.wait_for_steps(1)
        with server.held():
            other = WanTab(cast(Window, open_window()).page)
            other.open(server.address)
            other.wait_for("rendering")
            tab.reload()
            tab.wait_for("rendering")
        with window.answers_may_fail():
            other.page.close()
            server.restart()
            # Nobody touched this page: it finds the film by itself.
            tab.wait_for("finished")
        assert tab.video_seconds() == pytest.approx(9.0, abs=0.13)
        tab.reload()
        tab.job("a red circle").get_by_role("button", name="Watch").click()
        tab.wait_for("finished")
        expect(tab.film).to_be_visible()

    def test_html_is_text_and_a_job_gives_its_settings_back(self, tab: WanTab) -> None:
        prompts = f"0: {HOSTILE}"
        tab.write({**SMALL_FILM, "prompts": prompts, "max_frames": "8", "steps": "2"})
        expect(tab.prompt_blocks().first).to_have_text(HOSTILE)
        tab.begin()
        tab.wait_for("finished")
        tab.reload()
        expect(tab.job("<b>circle</b>")).to_be_visible()
        tab.shows({"prompts": ""})
        # The film comes above the list and moves it; a button that moves away from under the mouse hears no click.
        assert tab.video_seconds() == pytest.approx(1.0, abs=0.13)
        tab.page.wait_for_function("[...document.querySelectorAll('#wan img')].every((each) => each.complete)")
        # The list would be drawn anew while the button is pressed, which would lose the click.
        tab.page.evaluate(_DRAWN_WHEN_PRESSED)
        tab.job("<b>circle</b>").get_by_role("button", name="Use settings").click(delay=1000)
        expect(tab.news).to_contain_text(HOSTILE)
        tab.shows({"prompts": prompts, "width": "64", "max_frames": "8", "steps": "2", "seed": "7"})
        assert tab.page.evaluate("window.ran") is None

    def test_presets_are_kept(self, tab: WanTab, window: Window) -> None:
        tab.write({**SMALL_FILM, "guidance_scale": "2.5"})
        tab.save_preset("Two shapes")
        tab.reload()
        tab.choose_preset("Two shapes")
        kept = {name: SMALL_FILM[name] for name in ("prompts", "width", "max_frames")}
        tab.shows({**kept, "guidance_scale": "2.5"})
        tab.page.get_by_role("button", name="Delete preset").click()
        expect(tab.presets.locator("option")).to_have_count(1)

    def test_deforum_settings_are_taken_in(self, tab: WanTab, deforum_file: Path) -> None:
        tab.page.locator("#wan_import_file").set_input_files(deforum_file)
        expect(tab.news).to_contain_text(f"Taken in: {deforum_file.name}")
        tab.shows({"width": "64", "max_frames": "96", "fps": "16"})
        expect(tab.box("prompts")).to_have_value(re.compile("a red circle"))
        expect(tab.timeline).to_contain_text("96 frames at 16 fps")

    def test_an_installed_deforum_is_taken_over(self, tab: WanTab) -> None:
        button = tab.page.locator("#wan_deforum")
        if not tab.page.locator("#tab_deforum_interface").count():
            # Alone no other extension is there.
            expect(button).to_be_hidden()
            return
        button.click()
        expect(tab.news).to_contain_text("Taken in: Deforum's tab")
        tab.shows({"width": "64", "height": "64", "max_frames": "24", "fps": "8", "seed": "7"})
        tab.shows({"guidance_scale": "0: (3)", "batch_name": "from_deforum"})
        tab.shows({"negative_prompt": "blur", "seed_behavior": "fixed"})
        expect(tab.prompt_blocks()).to_have_count(2)

    @pytest.mark.parametrize("theme", ["light", "dark"])
    def test_it_fits_and_can_be_read(self, open_window: Any, server: Server, theme: str) -> None:
        narrow = WanTab(cast(Window, open_window(width=900)).page)
        narrow.open(f"{server.address}?__theme={theme}")
        narrow.write({**LONG_FILM, "negative_prompt": "a white background " * 20})
        for page in narrow.pages.all():
            page.click()
            expect(page).to_have_attribute("aria-selected", "true")
            assert narrow.wide().whole <= narrow.wide().seen
            faint = {text: ratio for text, ratio in contrasts(narrow.root).items() if ratio < READABLE}
            assert not faint
            assert not unexplained(narrow.root)
            assert not nameless(narrow.root)
        assert not repeated_ids(narrow.root)


def _changed_share(one: list[int], other: list[int]) -> float:
    """Share of the colour values of two pictures that differ by more than a compressed film's noise."""
    assert len(one) == len(other) > 0
    return sum(abs(before - after) > 40 for before, after in zip(one, other, strict=True)) / len(one)
