"""Models on disk: which are there, what they can do, and how they are loaded."""
