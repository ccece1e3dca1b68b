"""`cvat-nuclio generate`."""

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import EXIT_FINDINGS, UserError
from ..limits import KINDS
from .shared_options import add_function_parameter, add_login, number, task_and_frames

if TYPE_CHECKING:
    from ..generate.command_line import Target
    from ..generate.make_bundle import Outcome
    from ..generate.probe import Probe


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds the command's options; what to make is kept in the bundle's cvat-nuclio.yaml under the same name (see
    `generate.bundle_options`), how to run is not."""
    parser.set_defaults(pretend=False, force=False, check=False, timeout=600.0, output=None)
    parser.argument_default = argparse.SUPPRESS
    parser.add_argument(
        "bundles", metavar="FUNCTION|DIR", nargs="*",
        help="func.py or package.module: a new bundle of it; DIR: regenerate a bundle from its cvat-nuclio.yaml, where "
        "options given here are kept",
    )  # fmt: skip
    _configure_run(parser)
    _configure_function(parser)
    _configure_image(parser)
    _configure_answers(parser)
    _configure_nuclio(parser)
    parser.set_defaults(
        **dict.fromkeys(("server_host", "server_port", "auth", "profile", "organization")), insecure=False
    )
    add_login(parser)


def _configure_run(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("how to run")
    group.add_argument(
        "--output", metavar="DIR", type=Path, help="the folder of a new bundle, which goes into DIR/nuclio (the "
        "function's name, beside its file)",
    )  # fmt: skip
    group.add_argument("--pretend", action="store_true", help="show what would be written, write nothing")
    group.add_argument("--force", action="store_true", help="overwrite files that were edited")
    group.add_argument("--check", action="store_true", help="write nothing; exit 1 if a bundle is stale")
    group.add_argument("--timeout", metavar="SECONDS", type=float, help="for loading the function (600)")


def _configure_function(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("the function, as for cvat-cli")
    function = group.add_mutually_exclusive_group()
    function.add_argument("--function-module", metavar="MODULE", help="qualified name of the module to use")
    function.add_argument("--function-file", metavar="PATH", help="path to the Python source file to use")
    function.add_argument(
        "--model", metavar="MODEL",
        help="weights instead of a function: a file, a folder with config.json, hf:OWNER/NAME[@REVISION], "
        "torchvision:NAME, or a name that `cvat-nuclio models` lists; a ready function is taken for it",
    )  # fmt: skip
    group.add_argument(
        "--kind", choices=KINDS,
        help="what --model shall be, where it can be several things",
    )  # fmt: skip
    group.add_argument(
        "--labels-from-project", metavar="ID", type=number,
        help="the label names of a CVAT project are the phrases that the function looks for: its parameter `labels`",
    )  # fmt: skip
    group.add_argument(
        "--examples-from-task", metavar="ID[:A..B]", type=task_and_frames,
        help="what is in the boxes drawn in a CVAT task, on at most 50 frames, is what --model, an OWLv2, looks for; "
        "the cut-outs are kept in DIR/examples",
    )  # fmt: skip
    add_function_parameter(
        group,
        "parameter for the function; as in cvat-cli; file:PATH is a file or a folder that goes into the bundle",
    )
    group.add_argument(
        "--gpu-parameter", metavar="NAME=TYPE:VALUE", action="append", dest="gpu_parameters",
        help="the same for the GPU form, where it differs: device=str:cuda",
    )  # fmt: skip
    group.add_argument("--python", metavar="EXE", help="the interpreter that has the function's packages (this one)")
    group.add_argument("--name", metavar="ID", help="the function's id in CVAT (the folder's name)")
    group.add_argument("--display-name", metavar="TEXT", help="its name in CVAT's menus")
    group.add_argument("--description", metavar="TEXT", help="its description (the module's docstring)")
    group.add_argument("--help-message", metavar="TEXT", help="an interactor's tooltip in CVAT")
    group.add_argument(
        "--skeleton-edge", metavar="LABEL:POINT,POINT", action="append", help="a line of a skeleton's picture"
    )


def _configure_image(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("the image")
    group.add_argument("--requirements", metavar="FILE", help="instead of what the function imports, as loaded")
    group.add_argument("--add", metavar="PATH[=PLACE]", action="append", help="a file or folder to take along")
    group.add_argument("--apt", metavar="PACKAGE", action="append", help="a Debian package to install")
    group.add_argument("--base-image", metavar="REF", help="instead of the one from the table")
    group.add_argument("--gpu-base-image", metavar="REF", help="the same for the GPU image")
    group.add_argument(
        "--cpu-index-url",
        metavar="URL",
        help="an index of CPU builds, for the CPU image alone (for torch: PyTorch's own)",
    )
    group.add_argument(
        "--no-cpu-index", dest="cpu_index", action="store_false",
        help="install torch with CUDA, several GB, in the CPU image too",
    )  # fmt: skip
    group.add_argument("--cuda", choices=("12", "13"), help="choose GPU wheels and image for this CUDA")
    group.add_argument(
        "--bake", action=argparse.BooleanOptionalAction,
        help="load the function once while the image is built, so that what it downloads lies in it "
        "(the default where it is likely to download)",
    )  # fmt: skip
    group.add_argument(
        "--build-secret", metavar="NAME", action="append",
        help="a variable that the bake alone sees, such as HF_TOKEN for gated weights; `deploy` takes its value from "
        "its own environment, and no file, layer or history holds it",
    )  # fmt: skip
    group.add_argument(
        "--weights", metavar="FILE=NAME@REVISION", action="append",
        help="what a file of the bundle holds; its sha256 is kept with it, and other weights are refused from then on",
    )  # fmt: skip
    group.add_argument(
        "--pin-digests", action=argparse.BooleanOptionalAction,
        help="ask the registry for the base images' digests, and build on these; given again, ask again",
    )  # fmt: skip
    group.add_argument(
        "--digest", metavar="IMAGE=DIGEST", action="append", dest="digests",
        help="what --pin-digests would find, where it is known",
    )  # fmt: skip
    group.add_argument(
        "--sbom", action=argparse.BooleanOptionalAction, help="write a bill of materials: bom.cdx.json (CycloneDX)"
    )
    group.add_argument(
        "--nuclio-version", metavar="V", help="whose processor goes into the image of --prebuilt (1.14.1)"
    )
    group.add_argument("--prebuilt", metavar="IMAGE", help="also write a Dockerfile for IMAGE and a file that runs it")


def _configure_answers(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("the answers")
    group.add_argument(
        "--interactor-answer", choices=("shapes", "mask"),
        help="shapes: for CVAT's UI since late 2025 (default); mask: one full-size mask, for every UI since 2022",
    )  # fmt: skip
    group.add_argument(
        "--lost-shape", choices=("last", "null"),
        help="what a tracker answers for a lost object: its last shape (default), or null, which CVAT's UI cannot take",
    )  # fmt: skip
    group.add_argument(
        "--state", choices=("token", "in-memory"),
        help="where a tracker's states live: in its answers (default, unless one is seen not to fit), or in one worker",
    )  # fmt: skip


def _configure_nuclio(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("Nuclio")
    group.add_argument("--workers", metavar="N", type=int, help="processes, each with a copy of the model (1)")
    group.add_argument("--event-timeout", metavar="DURATION", help="for one request (60s)")
    group.add_argument("--readiness-timeout", metavar="SECONDS", type=int, help="for loading the model (300)")
    group.add_argument("--max-body", metavar="SIZE", help="of a request (32Mi; reid 64Mi; tracker 256Mi)")
    group.add_argument("--env", metavar="NAME=VALUE", action="append", help="a variable of the worker")
    group.add_argument(
        "--volume", metavar="HOST:PATH", action="append",
        help="mount a folder of the host, for weights too large for an image; on Kubernetes also pvc:CLAIM:PATH",
    )  # fmt: skip
    group.add_argument("--port", metavar="N", type=int, help="on the host: pinned, or Docker chooses one at each start")
    group.add_argument("--memory", metavar="SIZE", help="limit, such as 4Gi")
    group.add_argument("--cpu", metavar="N", help="limit, such as 2")
    group.add_argument("--gpus", metavar="N", type=int, help="of the GPU form (1)")
    kube = parser.add_argument_group("Kubernetes")
    kube.add_argument("--replicas", metavar="N", type=int, help="pods, each with its workers (1)")
    kube.add_argument("--min-replicas", metavar="N", type=int, help="the least that Nuclio scales down to")
    kube.add_argument("--max-replicas", metavar="N", type=int, help="the most that Nuclio scales up to")
    kube.add_argument("--node-selector", metavar="KEY=VALUE", action="append", help="a label that the node must have")
    kube.add_argument(
        "--toleration", metavar="KEY[=VALUE][:EFFECT]", action="append", help="a taint that the node may have"
    )
    kube.add_argument("--memory-request", metavar="SIZE", help="what a node must have free (the limit)")
    kube.add_argument("--cpu-request", metavar="N", help="the same; `bench` says what a worker takes")
    kube.add_argument("--target-cpu", metavar="PERCENT", type=int, help="of the request, for the autoscaler (75)")
    kube.add_argument("--secret-env", metavar="NAME=SECRET[:KEY]", action="append", help="a variable from a secret")
    kube.add_argument("--service-type", choices=("ClusterIP", "NodePort"), help="who reaches the function's service")
    kube.add_argument("--ingress-host", metavar="HOST", help="a way in from outside, by an Ingress")
    kube.add_argument("--affinity", metavar="FILE", help="a pod's `affinity`, in Kubernetes's form")
    kube.add_argument("--shm", metavar="SIZE", help="shared memory, such as 1Gi")
    kube.add_argument("--image-pull-secret", metavar="NAME", help="the secret of the registry that has the image")


def run(args: argparse.Namespace) -> int:
    """0; 1 where `check` finds an error in what was written, or with --check a bundle is stale."""
    from ..generate import change_report
    from ..generate.command_line import targets

    given = _with_model(args, _with_labels(args))
    stale = bad = False
    for target in targets(getattr(args, "bundles", []), given["output"], given):
        outcome = _one(args, target, {**given, **target.function})
        stale = stale or (args.check and bool(outcome.stale))
        change_report.show(outcome, pretend=args.pretend, check=args.check, force=args.force)
        if not (args.pretend or args.check):
            bad = _findings(target.folder, outcome.bundle.probe) or bad
            if "model" in given:
                folder = target.folder
                print(f"next: cvat-nuclio invoke {folder} PHOTO --output seen.png, then ./deploy.sh {folder}")
    return EXIT_FINDINGS if stale or bad else 0


def _with_labels(args: argparse.Namespace) -> dict[str, Any]:
    """The options with `-p labels=...` of the project that `--labels-from-project` names. Raises UserError."""
    given = dict(vars(args))
    if "labels_from_project" not in given:
        return given
    from ..cvat_server import connect, label_names

    with connect(args) as connection:
        phrases = "; ".join(label_names(connection, args.labels_from_project))
    print(f"project {args.labels_from_project}: {phrases}")
    return {**given, "function_parameters": [*given.get("function_parameters", ()), f"labels=str:{phrases}"]}


def _with_model(args: argparse.Namespace, given: dict[str, Any]) -> dict[str, Any]:
    """The options with the ready function that `--model` comes to, which is told on standard output."""
    if "model" not in given:
        for option in ("kind", "examples_from_task"):
            if option in given:
                raise UserError(
                    f"--{option.replace('_', '-')} goes with --model", why="a function's own spec says what it is"
                )
        return given
    from ..models.recognise import recognise
    from .cut_examples import cut_examples

    chosen = recognise(given["model"], given.get("kind"))
    if "examples_from_task" in given:
        chosen = cut_examples(args, chosen)
    print(f"{given['model']}: {chosen.looked_at}; {chosen.function_module}; licence of the weights: {chosen.licence}")
    if not given.get("bundles") and given["output"] is None:
        given = {**given, "output": Path(chosen.folder)}
    return {**given, **chosen.options(given)}


def _findings(folder: Path, probe: "Probe") -> bool:
    """Prints what `check` finds in a bundle just written; whether there was an error."""
    from ..check import Severity, check

    # The function was loaded to make the bundle: its own answer counts for more than its text.
    # What is missing was said already.
    checked = check([folder / "nuclio"], ignore=["CN623", "CN626"], ask=lambda function: probe.faults)
    found = [finding for finding in checked.findings if finding.severity is not Severity.NOTE]
    for finding in found:
        place = f"{finding.file.name}:{finding.line}" if finding.line else finding.file.name
        print(f"{finding.severity.value}: {place}: {finding.message} ({finding.rule})", file=sys.stderr)
        if finding.remedy:
            print(f"  try: {finding.remedy}", file=sys.stderr)
    return any(finding.severity is Severity.ERROR for finding in found)


def _one(args: argparse.Namespace, target: "Target", given: dict[str, Any]) -> "Outcome":
    from ..generate.bundle_options import from_mapping
    from ..generate.command_line import merge, settled
    from ..generate.make_bundle import prepare, write

    folder, new = Path(os.path.abspath(target.folder)), target.is_new  # noqa: PTH100 - a bundle may be reached through a link
    options = merge(folder, given, new=new, force=args.force)
    outcome = prepare(from_mapping(folder, options), timeout=args.timeout, keep_pins=args.check)
    if not (args.pretend or args.check):
        write(outcome, settled(options, outcome.bundle, new=new), force=args.force)
    return outcome
