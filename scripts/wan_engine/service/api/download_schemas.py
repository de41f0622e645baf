"""The forms of answers about downloads."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel


class DownloadProgressOut(BaseModel):
    """How far a download is. done, total: bytes.  speed: bytes a second, null if not known yet."""

    doing: Literal["listing", "downloading", "checking"]
    file: str
    done: int
    total: int
    speed: float | None
    seconds_left: float | None


class FileByHandOut(BaseModel):
    """A file to fetch by hand. size: in bytes, about, 0 if not known.  folder: where it must be put."""

    repository: str
    file: str
    size: int
    folder: str


class DownloadErrorOut(BaseModel):
    """Why a download failed. files: what to fetch by hand when the hub cannot be reached."""

    message: str
    remedy: str
    files: list[FileByHandOut]


class DownloadOut(BaseModel):
    """Something that can be downloaded. size: about, in bytes.  folder: where it goes.  page: where its licence is.

    items: the names of what a set stands for, whose licences are theirs: its repository and page are "".

    state: `there` is whole, `part` begun or not checked; the others are those of a download since the engine's start.
    """

    name: str
    what: str
    repository: str
    page: str
    licence: str
    size: int
    parts: list[str]
    needs: list[str]
    items: list[str]
    gated: bool
    folder: str
    state: Literal["absent", "part", "there", "running", "failed", "cancelled"]
    progress: DownloadProgressOut | None
    error: DownloadErrorOut | None
