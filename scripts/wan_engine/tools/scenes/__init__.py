"""Finds the scenes of films and cuts each into a file of its own."""
