"""One long prompt becomes a film: a planner makes a storyboard, providers its keyframe pictures, the film the rest.

`story.py` is the front page. The storyboard itself is a project file, read and written in `schedule`.
"""
