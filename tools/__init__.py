"""Scripts for those who work on the project: `python -m tools.NAME` from the checkout's root."""
