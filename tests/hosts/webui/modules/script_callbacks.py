"""Lists of what extensions want to be called for; each call is guarded, so one that fails is reported only."""

from modules import errors

CATEGORIES = ("before_ui", "ui_settings", "ui_tabs", "app_started", "before_reload", "script_unloaded")
callbacks = {category: [] for category in CATEGORIES}


def clear_callbacks():
    """Forget all; done whenever scripts are loaded."""
    for entries in callbacks.values():
        entries.clear()


def run(category, *args):
    """Call what is registered, in order; the results."""
    results = []
    for callback in callbacks[category]:
        try:
            results.append(callback(*args))
        except Exception:
            errors.report(f"Error executing callback {category}", exc_info=True)
    return results


def on_before_ui(callback, *, name=None):
    """`callback()` before each building of the page."""
    callbacks["before_ui"].append(callback)


def on_ui_settings(callback, *, name=None):
    """`callback()` adds settings."""
    callbacks["ui_settings"].append(callback)


def on_ui_tabs(callback, *, name=None):
    """`callback()` gives a list of (blocks, title, elem_id) or None."""
    callbacks["ui_tabs"].append(callback)


def on_app_started(callback, *, name=None):
    """`callback(demo, app)` when the server runs; demo is None without pages."""
    callbacks["app_started"].append(callback)


def on_before_reload(callback, *, name=None):
    """`callback()` before Reload UI."""
    callbacks["before_reload"].append(callback)


def on_script_unloaded(callback, *, name=None):
    """`callback()` when scripts are unloaded, at Reload UI."""
    callbacks["script_unloaded"].append(callback)
