"""Reads what a weight file says of itself in its header: names, shapes and number formats, never the weights."""
