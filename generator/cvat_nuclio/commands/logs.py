"""`cvat-nuclio logs`: what a deployed function prints, on either platform."""

import argparse
import subprocess

from ..errors import UserError
from ..limits import NAMESPACE


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="the function's metadata.name, its id in CVAT")
    parser.add_argument("--platform", choices=("local", "kube"), default="local", help="local Docker or Kubernetes")
    parser.add_argument("--namespace", default=NAMESPACE, help=f"Nuclio's namespace ({NAMESPACE})")
    parser.add_argument("--follow", action="store_true", help="go on until Ctrl-C")
    parser.add_argument("--previous", action="store_true", help="kube: of the containers that ended before these")


def run(args: argparse.Namespace) -> int:
    """The exit status of docker or kubectl, whose output goes where ours does."""
    command = _kubectl(args) if args.platform == "kube" else _docker(args)
    try:
        return subprocess.run(command, check=False).returncode
    except FileNotFoundError:
        raise UserError(
            f"there is no program {command[0]}", remedy=f"install {command[0]}, and put it on PATH"
        ) from None


def _docker(args: argparse.Namespace) -> list[str]:
    from ..deploy.docker_container import container_name

    if args.previous:
        raise UserError(
            "--previous is for --platform kube", why="Docker keeps one log of a container, restarts included"
        )
    follow = ["--follow"] if args.follow else []
    return ["docker", "logs", *follow, container_name(args.name, args.namespace)]


def _kubectl(args: argparse.Namespace) -> list[str]:
    more = [f"--{name}" for name in ("follow", "previous") if getattr(args, name)]
    selector = f"nuclio.io/function-name={args.name}"
    scope = ["--namespace", args.namespace, "--selector", selector, "--container", "nuclio"]
    return ["kubectl", "logs", *scope, "--prefix", "--tail=-1", *more]
