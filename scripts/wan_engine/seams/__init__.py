"""Seams: where one clip of a film follows another, measured."""
