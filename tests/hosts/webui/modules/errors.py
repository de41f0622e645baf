"""Shows errors as the WebUIs do, on the error output, and keeps them for the tests."""

import sys
import traceback

reported = []
"""Every message, with the exception's text behind it."""


def report(message, *, exc_info=False):
    """Show a message, with the exception that is being handled."""
    print("***", message, file=sys.stderr)
    text = traceback.format_exc() if exc_info else ""
    if text:
        print(text, file=sys.stderr)
    reported.append(f"{message}\n{text}")
