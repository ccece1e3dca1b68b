"""`-p`, which every command takes that makes a bundle of a function's file."""

import argparse


def add_function_parameter(container: "argparse.ArgumentParser | argparse._ArgumentGroup", help: str) -> None:
    """The option as cvat-cli has it; what is given becomes `function_parameters`, a list of texts."""
    container.add_argument(
        "--function-parameter", "-p", metavar="NAME=TYPE:VALUE", action="append", dest="function_parameters", help=help
    )
