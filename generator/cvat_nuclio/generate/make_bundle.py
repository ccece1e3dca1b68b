"""One bundle: its options → its files, written or compared."""

import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import attrs

from .. import atomic
from ..errors import UserError
from . import option_file, runtime_copy
from .added import added_files
from .assemble import assemble
from .bundle_options import BundleOptions, from_mapping
from .command_line import merge
from .description import Description, describe
from .digests import with_digests
from .forms import forms_of
from .names import default_name
from .notes import lacking, notes_on
from .option_file import Lack
from .parameters import check_gpu, parameters
from .probe import Probe, ProbeRequest, probe
from .requirements import RUNTIME_OF_ANY
from .tree import Plan, State, plan

#: Seconds for loading a function.
LOAD_TIMEOUT = 600.0


@attrs.frozen(kw_only=True)
class Outcome:
    """What one run found, and what it wrote or would write."""

    bundle: Description
    plan: Plan
    notes: tuple[str, ...]
    lacks: tuple[Lack, ...]
    runtime_fresh: bool
    runtime_edited: tuple[str, ...]

    @property
    def edited(self) -> list[str]:
        """The files that the user changed, below the bundle's folder."""
        return [change.path for change in self.plan.of(State.EDITED)] + [
            f"nuclio/{path}" for path in self.runtime_edited
        ]

    @property
    def stale(self) -> list[str]:
        """The files that would be written, edited ones included; the runtime copy, which no repository keeps, is not
        among them."""
        return [change.path for change in self.plan.changes if change.state is not State.SAME]


def prepare(options: BundleOptions, *, timeout: float = LOAD_TIMEOUT, keep_pins: bool = False) -> Outcome:
    """Everything up to writing. Raises UserError.

    `keep_pins` takes the versions of what the function imports from the bundle's own requirements.txt, so that a bundle
    made with other versions than those installed here is not taken for stale.
    """
    values = parameters(options.function)
    found = probe(_request(options, values.here, timeout))
    check_gpu(values, found)
    options = _with_state(options, found)
    forms = forms_of(options.function, options.image, found, keep=keep_pins)
    if options.service.gpus and forms.gpu is None:
        raise UserError(
            f"--gpus {options.service.gpus}: the function has no GPU form",
            why="its packages are none of the frameworks that have one: torch, onnxruntime",
            remedy="leave it out, or name the frameworks in a requirements file: --requirements FILE",
        )
    if options.image.pin_digests:
        options, forms = with_digests(options, forms)
    added, notes = added_files(options.image, options.function.file, values.carried)
    bundle = describe(options, values, found, forms, added)
    files, more = assemble(bundle)
    lacks = lacking(bundle)
    nuclio = options.function.nuclio
    return Outcome(
        bundle=bundle,
        plan=plan(options.folder, files),
        notes=(*notes, *forms.notes, *notes_on(bundle), *(lack.said for lack in lacks), *more),
        lacks=tuple(lacks),
        runtime_fresh=runtime_copy.is_fresh(nuclio),
        runtime_edited=tuple(runtime_copy.edited(nuclio)),
    )


def write(outcome: Outcome, options: Mapping[str, object], *, force: bool) -> None:
    """Writes the bundle, and its options where they changed. Raises UserError; the old bundle is whole then."""
    folder = outcome.plan.folder
    text = option_file.text(options, outcome.lacks, outcome.bundle.refused_state)
    try:
        outcome.plan.write(force=force)
        if force or not outcome.runtime_edited:
            runtime_copy.refresh(folder / "nuclio")
        option_file.lay_schema(folder)
        path = folder / option_file.NAME
        if not path.is_file() or path.read_bytes() != text:
            atomic.write(path, text)
    except OSError as error:
        raise UserError(
            f"cannot write {error.filename or folder}",
            why=str(error.strerror or error),
            remedy="nothing was changed; make room or mend the permissions, then run it again",
        ) from error


@contextmanager
def bundle_of(file: Path, python: str | None = None, parameters: Sequence[str] = ()) -> Iterator[Path]:
    """The folder of a bundle that is there for as long as it is needed, made as `generate FILE -p PARAMETER` makes one.

    Raises UserError as generate does.
    """
    with tempfile.TemporaryDirectory(prefix="cvat-nuclio-") as parent:
        folder = Path(parent).resolve() / file.stem
        name = default_name(file.resolve().with_suffix(""), None)
        asked = {"function_file": str(file), "name": name, "python": python, "function_parameters": list(parameters)}
        given = {name: value for name, value in asked.items() if value}
        options = merge(folder, given, new=True, force=False)
        write(prepare(from_mapping(folder, options)), options, force=False)
        yield folder


def _request(options: BundleOptions, values: Mapping[str, object], timeout: float) -> ProbeRequest:
    function = options.function
    if not function.directory.is_dir():
        raise UserError(f"{function.directory} is not there", remedy=f"mend working-directory in {option_file.NAME}")
    if function.file and not function.file.is_file():
        raise UserError(f"there is no {function.file}", remedy="--function-file PATH")
    python = function.python or sys.executable
    return ProbeRequest(
        python=str(function.path(python)) if "/" in python else python,
        module=function.function_module,
        file=function.file,
        parameters=values,
        directory=function.directory,
        timeout=timeout,
        measure=options.answers.state != "in-memory",
        runtime_distributions=RUNTIME_OF_ANY,
        variables=options.service.env,
    )


def _with_state(options: BundleOptions, found: Probe) -> BundleOptions:
    """With a tracker's states in memory where one was no token, unless tokens or several workers were asked for."""
    several = any((number or 1) != 1 for number in options.service.copies.values())
    if found.states and found.states.refused and options.answers.state is None and not several:
        return attrs.evolve(options, answers=attrs.evolve(options.answers, state="in-memory"))
    return options
