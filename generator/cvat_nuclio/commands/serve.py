"""`cvat-nuclio serve`."""

import argparse

from ..errors import UserError


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds the command's options."""


def run(args: argparse.Namespace) -> int:
    """Not written yet."""
    raise UserError("serve is not written yet")
