"""The host tool: turns auto-annotation functions into Nuclio bundles, and runs, checks and deploys them."""

__version__ = "0.1.0"
