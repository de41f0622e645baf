"""Asks the Hugging Face hub what an entry's files are, and reads one of them from any byte on.

HF_ENDPOINT, HF_TOKEN, HF_HUB_OFFLINE and the proxies of the environment are honoured, as everywhere with this hub. The
token goes to the hub alone, never into a message or a log.

`hf_hub_download` is not used: since huggingface_hub 1.x it begins a file anew when the process was killed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from wan_engine.errors import ModelError
from wan_engine.models.downloads.table import Entry

if TYPE_CHECKING:
    from huggingface_hub.hf_api import ModelInfo, RepoSibling

PUBLIC_HUB = "https://huggingface.co"
READ_SECONDS = 10.0
"""The hub must answer, and go on sending, within it; then the request is made again from where it was."""
AGAIN = (408, 429, 500, 502, 503, 504)
"""Answers of a server that is busy: the same request may do later."""

_YES = ("1", "on", "yes", "true")


class Unreachable(ModelError):
    """The hub does not answer now."""


class Busy(Unreachable):
    """The hub, or the connection to it, broke off; trying again soon may help."""


@dataclass(frozen=True)
class HubFile:
    """One file of a download. path: in the repository.  target: in the entry's folder.  size: bytes.

    sha256: of the content, for files that the hub keeps as large ones.  blob: for the others, git's name of the content
    (SHA-1 over a small head and the content).
    """

    path: str
    target: PurePosixPath
    size: int
    sha256: str = ""
    blob: str = ""

    @property
    def identity(self) -> str:
        """What tells its content from any other."""
        return self.sha256 or self.blob


@dataclass(frozen=True)
class Listing:
    """What an entry's files are, at one commit of its repository. licence: what the hub says, empty if nothing."""

    entry: Entry
    commit: str
    licence: str
    files: tuple[HubFile, ...]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


class Hub:
    """The hub, at the address that the environment names."""

    def __init__(self) -> None:
        self.address = (os.environ.get("HF_ENDPOINT") or PUBLIC_HUB).rstrip("/")

    def page(self, entry: Entry) -> str:
        """Address of a repository's page, where its licence can be read and accepted."""
        return f"{self.address}/{entry.repository}"

    def listing(self, entry: Entry) -> Listing:
        """The entry's files with sizes and checksums. Raises Unreachable, ModelError."""
        from huggingface_hub import HfApi, get_token

        try:
            with self._said(entry):
                info = HfApi(endpoint=self.address).model_info(
                    entry.repository, revision=entry.revision, files_metadata=True, timeout=READ_SECONDS
                )
        except (ValueError, TypeError, KeyError, AttributeError) as error:  # a page of a proxy, say
            message = f"{self.address} does not answer as the hub does ({type(error).__name__})"
            raise ModelError(message, "Check HF_ENDPOINT and the network's proxy") from error
        if info.gated and not get_token():
            raise self._gated(entry)
        return Listing(entry, info.sha or entry.revision, _licence(info), _files(entry, info.siblings or []))

    @contextmanager
    def reading(self, listing: Listing, file: HubFile, start: int) -> Iterator[tuple[int, Iterator[bytes]]]:
        """The file's bytes from `start` on, or from 0 if the hub cannot do that: where they begin, and the bytes.

        Raises Busy when the connection breaks off, Unreachable, ModelError.
        """
        from huggingface_hub import get_session, hf_hub_url
        from huggingface_hub.utils._headers import build_hf_headers
        from huggingface_hub.utils._http import hf_raise_for_status

        entry = listing.entry
        url = hf_hub_url(entry.repository, file.path, revision=listing.commit, endpoint=self.address)
        # Unpacked by nobody on the way, so that the bytes can be counted and gone on with.
        headers = {**build_hf_headers(), "Accept-Encoding": "identity"}
        if start:
            headers["Range"] = f"bytes={start}-"
        with (
            self._said(entry),
            get_session().stream("GET", url, headers=headers, timeout=READ_SECONDS) as answer,
        ):
            hf_raise_for_status(answer)
            yield start if answer.status_code == 206 else 0, answer.iter_bytes()

    @contextmanager
    def _said(self, entry: Entry) -> Iterator[None]:
        """Turn the libraries' errors into ones for users."""
        import httpx2
        from huggingface_hub import errors

        self._check_online()
        repository = entry.repository
        try:
            yield
        except errors.GatedRepoError as error:
            raise self._gated(entry) from error
        except errors.HfHubHTTPError as error:
            raise _refused(repository, error.response.status_code) from error
        except (errors.OfflineModeIsEnabled, httpx2.ConnectError) as error:
            message = f"the hub at {self.address} cannot be reached ({_reason(error)})"
            raise Unreachable(message, "Check the network and its proxy") from error
        except httpx2.RequestError as error:
            raise Busy(f"the connection to {self.address} broke off ({_reason(error)})", "Try again") from error

    def _check_online(self) -> None:
        if os.environ.get("HF_HUB_OFFLINE", "").lower() in _YES:
            raise Unreachable("HF_HUB_OFFLINE forbids to ask the hub", "Unset it to download")

    def _gated(self, entry: Entry) -> ModelError:
        message = f"{entry.repository} is given only to those who have accepted its licence"
        remedy = f"Accept it at {self.page(entry)}, then set HF_TOKEN to a token of that account and try again"
        return ModelError(message, remedy)


def _refused(repository: str, status: int) -> ModelError:
    if status in AGAIN:
        return Busy(f"the hub is busy (it answered {status})", "Try again later; what is here is kept")
    if status == 404:
        return ModelError(
            f"the hub has no such file or repository in {repository}", "It may have been moved or renamed"
        )
    if status in (401, 403):
        message = f"the hub does not give out {repository} (it answered {status})"
        return ModelError(message, "Check the token in HF_TOKEN; the repository may be private or gone")
    return ModelError(f"the hub answered {status} for {repository}", "Try again later")


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:200]


def _licence(info: ModelInfo) -> str:
    card = info.card_data
    if card is None:
        return ""
    name = card.get("license_name") if card.license == "other" else card.license
    return str(name or card.license or "")


def _files(entry: Entry, siblings: list[RepoSibling]) -> tuple[HubFile, ...]:
    """The files that the entry wants. Raises ModelError when there are none, or their names cannot be."""
    files = tuple(_file(entry, sibling) for sibling in siblings if entry.wants(sibling.rfilename))
    for pattern in entry.patterns:
        # Patterns with stars ask for what may be there; others name a file.
        if "*" not in pattern and all(file.path != pattern for file in files):
            raise ModelError(f"{entry.repository} has no file {pattern} any more", "It may have been renamed")
    if not files:
        raise ModelError(f"{entry.repository} has none of the files {', '.join(entry.patterns)}")
    if len({file.target for file in files}) < len(files):
        raise ModelError(f"{entry.repository} has two files of one name", "Fetch them by hand")
    return files


def _file(entry: Entry, sibling: RepoSibling) -> HubFile:
    target = entry.target(sibling.rfilename)
    parts = target.parts
    if target.is_absolute() or not parts or ".." in parts or any(set('\\:*?"<>|\0') & set(part) for part in parts):
        raise ModelError(f"{entry.repository} names a file {sibling.rfilename!r}, which would lead out of its folder")
    large = sibling.lfs
    size, blob = sibling.size, sibling.blob_id or ""
    if size is None or not (large or blob):
        raise ModelError(f"the hub does not say what {sibling.rfilename} of {entry.repository} is")
    return HubFile(sibling.rfilename, target, size, large.sha256 if large else "", "" if large else blob)
