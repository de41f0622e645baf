"""Settings and schedule become a Plan: exact clips, seams, seeds and needs, before any GPU is asked."""
