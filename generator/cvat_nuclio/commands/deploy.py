"""`cvat-nuclio deploy`: the logic behind deploy.sh."""

import argparse
import contextlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import EXIT_FAILED, EXIT_FINDINGS
from ..limits import NAMESPACE
from .shared_options import number

if TYPE_CHECKING:
    from ..deploy.build_arguments import BuildArguments
    from ..deploy.deployment import Deployment
    from ..deploy.fleet import Fleet


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("bundles", metavar="DIR", nargs="+", type=Path, help="a bundle that `generate` wrote")
    parser.add_argument(
        "--keep-serving", action="store_true", help="when an update fails put the last good version back by itself"
    )
    parser.add_argument("--gpu", action="store_true", help="deploy function-gpu.yaml")
    parser.add_argument("--platform", choices=("local", "kube"), default="local", help="local Docker or Kubernetes")
    parser.add_argument("--registry", help="where nuctl pushes the image (kube)")
    parser.add_argument("--run-registry", help="where pods pull it from, if not from --registry")
    parser.add_argument("--namespace", help="Nuclio's namespace (nuclio, in which CVAT looks)")
    parser.add_argument("--project", default="cvat", help="Nuclio's project; CVAT lists only `cvat`")
    parser.add_argument(
        "--prebuilt", action="store_true", help="run the image of function-prebuilt.yaml, build nothing"
    )
    parser.add_argument("--offline", action="store_true", help="pull no image: all must be loaded")
    parser.add_argument("--parallel", type=number, default=1, metavar="N", help="how many functions at a time")
    parser.add_argument("--force", action="store_true", help="free functions that are stuck at `building`")
    parser.add_argument("--skip-check", action="store_true", help="deploy bundles in which `check` finds errors")
    parser.add_argument("--logs", type=Path, metavar="FOLDER", help="where nuctl's whole output is kept")
    parser.add_argument("--verbose", action="store_true", help="show nuctl's whole output as it comes")
    parser.add_argument(
        "--env",
        type=_variable,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="set a variable of the functions, over that of their files",
    )
    parser.add_argument(
        "--build-arg", action="append", default=[], metavar="NAME[=VALUE]",
        help="told to the image's build alone, HTTPS_PROXY for example; without VALUE it is taken from the environment",
    )  # fmt: skip
    parser.add_argument("--pip-index-url", metavar="URL", help="where the build's pip looks in place of PyPI")
    parser.add_argument(
        "--pip-extra-index-url", action="append", default=[], metavar="URL", help="where the build's pip looks besides"
    )
    parser.add_argument(
        "--dashboard",
        metavar="URL",
        help="kube: Nuclio's dashboard, to ask a deployed function as CVAT does (else kubectl makes a way to it)",
    )
    parser.add_argument(
        "--limit", type=float, default=60.0, metavar="MINUTES", help="end a deploy after this time (60)"
    )
    parser.add_argument(
        "--state-key-env",
        metavar="VAR",
        default="AA_STATE_KEY",
        help="the environment variable that holds trackers' key (AA_STATE_KEY; where that is not set, each tracker is"
        " given a key of its own, which this user's state folder keeps)",
    )
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--dry-run", action="store_true", help="check everything, print the nuctl commands, run none")
    action.add_argument("--status", action="store_true", help="show the functions' states, deploy nothing")
    action.add_argument("--delete", action="store_true", help="delete the functions")
    action.add_argument(
        "--rollback", action="store_true", help="put back what served before the last deploy; DIR may be a name, too"
    )


def _variable(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value


def run(args: argparse.Namespace) -> int:
    """0: everything serves. 1: something does not. 2: nothing could be tried."""
    import signal

    from ..deploy.asked_program import docker
    from ..deploy.cluster import Cluster
    from ..deploy.deploy_options import DeployOptions
    from ..deploy.fleet import Fleet
    from ..deploy.nuctl import Nuctl

    # In a cluster nuctl takes the context's namespace, or none; CVAT looks in `nuclio` whatever the context.
    namespace = args.namespace or (NAMESPACE if args.platform == "kube" else None)
    options = DeployOptions(
        bundles=args.bundles, gpu=args.gpu, platform=args.platform, registry=args.registry,
        run_registry=args.run_registry, namespace=namespace, project=args.project, prebuilt=args.prebuilt,
        offline=args.offline, parallel=args.parallel, force=args.force, keep_serving=args.keep_serving,
        dry_run=args.dry_run, log_folder=args.logs, verbose=args.verbose, state_key_env=args.state_key_env,
        dashboard=args.dashboard.rstrip("/") if args.dashboard else None, env=dict(args.env), limit=60 * args.limit,
        build=_build_arguments(args),
    )  # fmt: skip
    # A supervisor's TERM gets the same tidying as Ctrl-C: nuctl cut off leaves a function stuck at `building`.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    cluster = Cluster(namespace) if options.platform == "kube" and namespace else None
    fleet = Fleet(options, Nuctl(options.platform, namespace), docker, _say, cluster)
    if args.status:
        return _status(fleet)
    if args.delete:
        return _delete(fleet)
    if args.rollback:
        with contextlib.ExitStack() as stack:
            deployments = fleet.last_good(stack)
            fleet.options = options.of_rollback
            return _run(fleet, deployments)
    return _deploy(fleet, check=not args.skip_check)


def _build_arguments(args: argparse.Namespace) -> "BuildArguments":
    from ..deploy.build_arguments import BuildArguments

    given = BuildArguments.given(args.build_arg, args.pip_index_url, args.pip_extra_index_url)
    given.refuse_other_builders("--prebuilt" if args.prebuilt else "--rollback" if args.rollback else "")
    for name in given.kept_passwords:
        _say(f"note: `docker history` of the image will show {name} with its login")
    return given


def _say(line: str) -> None:
    with contextlib.suppress(BrokenPipeError):  # a deploy goes on when nobody reads any more
        sys.stdout.write(f"{line}\n")  # in one piece: deploys report from their own threads
        sys.stdout.flush()


def _deploy(fleet: "Fleet", *, check: bool) -> int:
    from ..deploy.preflight import prepare

    deployments = fleet.open()
    if not prepare([one.function.file for one in deployments], check=check, say=_say):
        return EXIT_FAILED
    return _run(fleet, deployments)


def _run(fleet: "Fleet", deployments: Sequence["Deployment"]) -> int:
    from ..deploy.fleet import summary
    from ..deploy.nuctl import differs_from_last_time

    if findings := fleet.preflight(deployments):
        for name, cause in findings:
            print(f"{f'{name}: ' if name else ''}{cause.text}\n  try: {cause.remedy}", file=sys.stderr)
        return EXIT_FAILED
    if not fleet.options.dry_run and (last := differs_from_last_time(fleet.nuctl.version)):
        _say(f"the last deploy from here used nuctl {last}: every image layer will be built again")
    _tell_of_version(fleet)
    outcomes = fleet.deploy(deployments)
    _say(summary(outcomes))
    return EXIT_FINDINGS if len(outcomes) < len(deployments) or any(one.cause for one in outcomes) else 0


def _tell_of_version(fleet: "Fleet") -> None:
    """What is known against nuctl's version, which is Nuclio's."""
    import platform

    from packaging.version import InvalidVersion

    from ..data import tables

    version = fleet.nuctl.version
    try:
        faults = tables.nuclio_faults(version, arch=platform.machine(), platform=fleet.options.platform)
    except InvalidVersion:  # nuctl without a label, or a build of one's own
        return
    for fault in faults:
        _say(f"note: {fault}")
    if said := tables.never_run(version):
        _say(f"note: Nuclio {version} was {said}")


def _status(fleet: "Fleet") -> int:
    from ..deploy.fleet import summary

    outcomes = [one.look() for one in fleet.open()]
    _say(summary(outcomes))
    for one in outcomes:
        if one.cause:
            _say(f"{one.name}: {one.cause.text}\n  try: {one.cause.remedy}")
        elif one.note:
            _say(f"{one.name}: {one.note}")
    return EXIT_FINDINGS if any(one.cause for one in outcomes) else 0


def _delete(fleet: "Fleet") -> int:
    status = 0
    for one in fleet.open():
        cause = one.delete()
        if cause:
            _say(f"{one.name}: {cause.text}\n  try: {cause.remedy}")
            status = EXIT_FINDINGS
        else:
            _say(f"{one.name}: deleted; its image stays")
    return status
