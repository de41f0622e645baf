"""The WebUIs' settings: each has a description, and a default that holds once the setting is added."""


class OptionInfo:
    """What a setting is."""

    def __init__(self, default=None, label="", component=None, component_args=None, onchange=None, section=None):
        self.default = default
        self.label = label
        self.component = component
        self.component_args = component_args
        self.onchange = onchange
        self.section = section
        self.comment_after = ""

    def info(self, text):
        """Add words behind the label."""
        self.comment_after += f"<span class='info'>({text})</span>"
        return self


class Options:
    """The settings' values."""

    def __init__(self, **data):
        self.data = data
        self.data_labels = {}

    def add_option(self, key, info):
        """Make a setting known."""
        self.data_labels[key] = info

    def __getattr__(self, name):
        if name in self.__dict__.get("data", {}):
            return self.data[name]
        if name in self.__dict__.get("data_labels", {}):
            return self.data_labels[name].default
        raise AttributeError(name)
