"""The planner by a language model: what it is told, what it must answer, how its service is asked."""
