"""What is tried for a film's seams beside rendering them once, and what came of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from wan_engine.plan.seam import Seam, Version


@dataclass
class SeamWork:
    """One film's, or one chain's. left: clips that may still be rendered again.

    versions: what was tried, by the seam's film frame.
    inside: only seams inside a chain are looked at, as other chains may be there or not.
    """

    left: int = 0
    versions: dict[int, list[Version]] = field(default_factory=dict)
    inside: bool = False

    def add(self, seam: Seam, version: Version) -> None:
        """Note a trial to mend a seam; the seam as it was rendered comes first, if nothing was tried before."""
        rendered = replace(seam.version("render"), kept=True)
        self.versions.setdefault(seam.frame, [rendered]).append(version)

    def told(self, seams: Iterable[Seam]) -> tuple[Seam, ...]:
        """The measured seams, each with what was tried for it."""
        return tuple(replace(seam, versions=tuple(self.versions.get(seam.frame, ()))) for seam in seams)
