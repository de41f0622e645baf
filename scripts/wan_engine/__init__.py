"""The Wan film engine: prompt schedules in, exact films out. Importing it loads nothing heavy."""

__version__ = "0.1.0"
