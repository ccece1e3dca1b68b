"""Connection and log-in as cvat-cli has them.

The options are written down here because a command's help must not load cvat-sdk; a test compares them with its own.
"""

import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds cvat-cli's options. `PASS`, `CVAT_ACCESS_TOKEN` and its saved profiles are read as by cvat-cli."""
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
