"""The pages of the tab, in their order. Only what is finished stands here.

docs/architecture.md tells how a page is added.
"""

from __future__ import annotations

from dataclasses import dataclass

from wan_webui.film_actions import FilmActions
from wan_webui.film_form import FILM, MAKING
from wan_webui.form_table import Section, Table
from wan_webui.keyframe_actions import KeyframeActions
from wan_webui.keyframe_form import KEYFRAMES
from wan_webui.order_actions import OutpaintActions, SceneActions
from wan_webui.outpaint_form import OUTPAINT
from wan_webui.page_actions import PageActions
from wan_webui.scene_form import SCENES
from wan_webui.storyboard_actions import TABLES, StoryboardActions


@dataclass(frozen=True)
class Page:
    """One page of the tab.

    name: of its script's part, and in the ids of its elements.  title: on its button.  verb: on the primary button
    while it is open.  tables: of its form, one behind the other.  actions: its handlers.
    above: the sections that stand above its mount and its plan; the others stand below.
    mounted: its script builds a part of it in an element of its own.  planned: the plan of a film is drawn on it.
    """

    name: str
    title: str
    verb: str
    tables: tuple[Table, ...]
    actions: type[PageActions] = PageActions
    above: tuple[str, ...] = ()
    mounted: bool = True
    planned: bool = False

    @property
    def prefix(self) -> str:
        """Begins what is its own; the film's page was there first and has none."""
        return "" if self.name == "film" else f"{self.name}_"

    @property
    def own_tables(self) -> tuple[Table, ...]:
        """The tables that no other page has."""
        return tuple(table for table in self.tables if table is not MAKING)

    def sections(self, table: Table, above: bool) -> list[Section]:
        """The table's sections above its plan, or those below."""
        return [section for section in table.sections if (section.name in self.above) == above]


FILM_PAGE = Page(
    "film", "Film", "Generate", (FILM, MAKING), FilmActions, above=("prompts",), mounted=False, planned=True
)

KEYFRAMES_PAGE = Page("keyframes", "Keyframes", "Generate", (KEYFRAMES, MAKING), KeyframeActions, planned=True)

SCENES_PAGE = Page("scenes", "Scenes", "Split", (SCENES,), SceneActions)

STORYBOARD_PAGE = Page("storyboard", "Storyboard", "Render", TABLES, StoryboardActions, planned=True)

OUTPAINT_PAGE = Page("outpaint", "Outpaint", "Outpaint", (OUTPAINT,), OutpaintActions)

PAGES = (FILM_PAGE, KEYFRAMES_PAGE, STORYBOARD_PAGE, SCENES_PAGE, OUTPAINT_PAGE)
"""The pages that are finished."""
