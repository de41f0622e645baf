"""Fits models into the memory there is: measures it, knows what a model needs, chooses a profile and carries it out."""
