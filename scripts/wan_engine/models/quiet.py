"""Keeps the libraries that load models quiet."""

from __future__ import annotations


def quiet_libraries() -> None:
    """No progress bars and hints on the terminal: the command line draws its own, and loading is checked here."""
    import diffusers
    import transformers

    for library in (diffusers, transformers):
        library.utils.logging.disable_progress_bar()
        library.utils.logging.set_verbosity_error()
