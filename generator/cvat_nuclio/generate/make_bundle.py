"""One bundle: its options → its files, written or compared."""

import sys
from collections.abc import Mapping

import attrs

from .. import atomic
from ..errors import UserError
from . import option_file, runtime_copy, states
from .added import added_files
from .assemble import assemble
from .base_images import with_digests
from .bundle_options import BundleOptions, FunctionOptions
from .description import Description, describe
from .forms import forms_of
from .lacks import Lack
from .notes import lacking, notes_on
from .parameters import check_gpu, parameters
from .probe import ProbeRequest, probe
from .requirements import RUNTIME_OF_ANY
from .tree import Plan, State, plan


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


def prepare(options: BundleOptions, *, timeout: float, keep_pins: bool = False) -> Outcome:
    """Everything up to writing. Raises UserError.

    `keep_pins` takes the versions of what the function imports from the bundle's own requirements.txt, so that a bundle
    made with other versions than those installed here is not taken for stale.
    """
    function, image = options.function, options.image
    given_values = parameters(function)
    found = probe(_request(options, given_values.here, timeout))
    check_gpu(given_values, found)
    options = states.chosen(options, found)
    forms = forms_of(function, image, found, keep=keep_pins)
    if options.service.gpus and forms.images.gpu is None:
        raise UserError(
            f"--gpus {options.service.gpus}: the function has no GPU form",
            why="its packages are none of the frameworks that have one: torch, onnxruntime",
            remedy="leave it out, or name the frameworks in a requirements file: --requirements FILE",
        )
    if image.pin_digests:
        image, images = with_digests(image, forms.images)
        options, forms = attrs.evolve(options, image=image), attrs.evolve(forms, images=images)
    added, notes = added_files(image, function.file, given_values.carried)
    bundle = describe(options, given_values, found, forms, added)
    files, more = assemble(bundle)
    lacks = lacking(bundle)
    return Outcome(
        bundle=bundle,
        plan=plan(options.folder, files),
        notes=(*notes, *forms.notes, *notes_on(bundle), *(lack.said for lack in lacks), *more),
        lacks=tuple(lacks),
        runtime_fresh=runtime_copy.is_fresh(function.nuclio),
        runtime_edited=tuple(runtime_copy.edited(function.nuclio)),
    )


def write(outcome: Outcome, stored: Mapping[str, object], *, force: bool) -> None:
    """Writes the bundle, and its options where they changed. Raises UserError; the old bundle is whole then."""
    folder = outcome.plan.folder
    text = option_file.text(stored, [lack.stored for lack in outcome.lacks], states.refused(outcome.bundle))
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


def _request(options: BundleOptions, values: Mapping[str, object], timeout: float) -> ProbeRequest:
    function = options.function
    directory = function.directory
    if not directory.is_dir():
        raise UserError(f"{directory} is not there", remedy=f"mend working-directory in {option_file.NAME}")
    if function.file and not function.file.is_file():
        raise UserError(f"there is no {function.file}", remedy="--function-file PATH")
    return ProbeRequest(
        python=_interpreter(function),
        module=function.function_module,
        file=function.file,
        parameters=values,
        directory=directory,
        timeout=timeout,
        measure=options.answers.state != "in-memory",
        runtime_distributions=RUNTIME_OF_ANY,
        variables=options.service.env,
    )


def _interpreter(function: FunctionOptions) -> str:
    python = function.python or sys.executable
    return str(function.path(python)) if "/" in python else python
