"""The WebUI side: the Wan tab, the routes that forward to the engine, and what differs between the WebUIs.

It runs in the WebUI's own Python (3.10 and newer) with the WebUI's gradio and FastAPI, and imports nothing of the
engine but its floor 0.
"""
