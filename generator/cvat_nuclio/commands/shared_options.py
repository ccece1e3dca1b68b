"""Options that several commands take, and how their values are read."""

import argparse
import re
from pathlib import Path

Container = argparse.ArgumentParser | argparse._ArgumentGroup


def number(text: str) -> int:
    """A whole number of at least 1."""
    found = int(text) if text.isdecimal() else 0
    if found < 1:
        raise argparse.ArgumentTypeError(f"a number of at least 1 is expected, not {text}")
    return found


def share(text: str) -> float:
    """A number from 0 to 1."""
    try:
        found = float(text)
    except ValueError:
        found = -1.0
    if not 0 <= found <= 1:
        raise argparse.ArgumentTypeError(f"a number from 0 to 1 is expected, not {text}")
    return found


def task_and_frames(text: str) -> tuple[int, range | None]:
    """`ID` or `ID:FIRST..LAST`."""
    task, colon, frames = text.partition(":")
    return number(task), span(frames) if colon else None


def span(text: str) -> range:
    """`FIRST..LAST`, both included."""
    match = re.fullmatch(r"(\d+)\.\.(\d+)", text)
    if not match or int(match[1]) > int(match[2]):
        raise argparse.ArgumentTypeError(f"FIRST..LAST is expected, not {text}")
    return range(int(match[1]), int(match[2]) + 1)


def add_function(parser: argparse.ArgumentParser, which: str = "") -> None:
    """FUNCTION of a command that works through a task, and its parameters."""
    parser.add_argument(
        "target",
        metavar="FUNCTION",
        help=f"{which}a bundle or a function's file (served meanwhile), a URL, or the name of a deployed function",
    )
    add_function_parameter(parser)


def add_function_parameter(
    container: Container, help: str = "parameter for the function of the file, as in generate"
) -> None:
    """The option as cvat-cli has it; what is given becomes `function_parameters`, a list of texts."""
    container.add_argument(
        "--function-parameter", "-p", metavar="NAME=TYPE:VALUE", action="append", dest="function_parameters", help=help
    )


def add_function_file(container: Container) -> None:
    container.add_argument("--function", type=Path, metavar="FILE", help="the function.yaml of what is behind the URL")


def add_python(container: Container) -> None:
    container.add_argument(
        "--python",
        metavar="EXE",
        help="interpreter that holds a bundle's packages; default: the one that generate was given, else this one",
    )


def add_dashboard(container: Container) -> None:
    container.add_argument(
        "--dashboard", metavar="URL", help="Nuclio's, for a deployed function (default: this machine's)"
    )


def add_labels(container: Container, whose: str) -> None:
    """A detector's threshold, and what its labels become."""
    container.add_argument("--conf-threshold", type=share, metavar="T", help=f"the {whose}'s threshold, 0 to 1")
    container.add_argument(
        "--map",
        action="append",
        default=[],
        dest="wishes",
        metavar="LABEL=LABEL|FILE",
        help=f"the {whose}'s label becomes the task's; LABEL= leaves it out; a JSON file holds a whole mapping",
    )


def add_login(parser: argparse.ArgumentParser) -> None:
    """Connection and log-in as cvat-cli has them. `PASS`, `CVAT_ACCESS_TOKEN` and its saved profiles are read as by it.

    Written down here because a command's help must not load cvat-sdk; a test compares them with its own.
    """
    group = parser.add_argument_group(
        "CVAT's server",
        "as with cvat-cli: the password comes from PASS or is asked for, a token from CVAT_ACCESS_TOKEN; "
        "without either the default of `cvat-cli profile list` is used",
    )
    group.add_argument("--server-host", metavar="URL", help="default: the profile's, else http://localhost")
    group.add_argument("--server-port", type=int, metavar="N", help="default: 80 for http, 443 for https")
    group.add_argument("--auth", metavar="USER[:PASS]", help="user and password (default: you)")
    group.add_argument("--profile", metavar="NAME", help="a saved profile: its server and its token")
    group.add_argument("--organization", "--org", metavar="SLUG", help="the organization's short name")
    group.add_argument("--insecure", action="store_true", help="do not check the server's certificate")
