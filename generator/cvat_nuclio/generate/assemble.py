"""A bundle's description → its files."""

from collections.abc import Iterable
from typing import Any

from ..atomic import Content
from ..data import tables
from ..errors import UserError
from . import names, states
from .added import check_place
from .annotations import comments
from .description import Description
from .function_config import (
    Variant,
    build_steps,
    check_size,
    function_config,
    image_comment,
    workers_reason,
)
from .parameters import Carried
from .provenance import bill_of_materials
from .render import render, render_config

Files = dict[str, Content]


def assemble(bundle: Description) -> tuple[Files, list[str]]:
    """The files below the bundle's folder, by path, and notes for the user. Raises UserError."""
    files: Files = {f"nuclio/{path}": content for path, content in {**_code(bundle), **_brought(bundle)}.items()}
    notes = []
    files |= {f"nuclio/{path}": text.encode() for path, text in _requirements(bundle).items()}
    for variant in variants(bundle):
        config_notes, more = _function(bundle, variant)
        files |= {f"nuclio/{path}": text.encode() for path, text in more.items()}
        notes += config_notes
    files["nuclio/README.md"] = _readme(bundle).encode()
    return files, list(dict.fromkeys(notes))


def variants(bundle: Description) -> list[Variant]:
    """The forms of function.yaml that the bundle has."""
    gpus = (False, True) if bundle.images.gpu else (False,)
    built = [Variant(gpu=gpu) for gpu in gpus]
    image = bundle.image.prebuilt
    return built + [Variant(gpu=gpu, image=prebuilt_image(image, gpu=gpu)) for gpu in gpus if image]


def prebuilt_image(reference: str, *, gpu: bool) -> str:
    """`IMAGE:TAG`; the GPU form's tag ends in `-gpu`. Raises UserError for a digest, which no build can promise."""
    if "@" in reference:
        raise UserError(f"--prebuilt {reference} names a digest", why="a build cannot promise one", remedy="give a tag")
    head, slash, last = reference.rpartition("/")
    name, colon, tag = last.partition(":")
    if not gpu:
        return reference if colon else f"{reference}:latest"
    return f"{head}{slash}{name}:{tag + '-' if tag else ''}gpu"


def _function(bundle: Description, variant: Variant) -> tuple[list[str], dict[str, str]]:
    build = build_steps(bundle, variant, requirements_files(bundle, gpu=variant.gpu))
    config = function_config(bundle, variant, build)
    comment = [line for text in image_comment(bundle, variant) for line in _wrapped(text)]
    texts = {
        variant.file: render_config(
            config, variant=variant, steps=build, comments=comments(bundle.kind), image_comment=comment,
            in_memory=bundle.in_memory, workers_reason=workers_reason(bundle, variant),
        )
    }  # fmt: skip
    if variant.image:
        gpu, version = bundle.images.gpu, bundle.image.nuclio_version
        base = gpu.image if variant.gpu and gpu else bundle.images.cpu
        texts[variant.dockerfile] = render(
            "Dockerfile.j2", variant=variant, steps=build, image=variant.image, image_comment=comment,
            nuclio_image=tables.nuclio_image(version),
            never_run=tables.never_run(version) if version else "", base_image=base.reference,
        )  # fmt: skip
    if bundle.image.sbom and not variant.image:
        base = bundle.images.gpu.image if variant.gpu and bundle.images.gpu else bundle.images.cpu
        texts[f"bom{'-gpu' if variant.gpu else ''}.cdx.json"] = bill_of_materials(bundle, base, gpu=variant.gpu)
    warning = check_size(config)
    return ([warning] if warning else []), texts


def _wrapped(text: str) -> list[str]:
    from .render import wrapped

    return wrapped(text)


def _code(bundle: Description) -> Files:
    source = {
        "file": bundle.function.file, "module": bundle.function.function_module, "parameters": bundle.parameters.cpu,
        "kind": bundle.kind, "name": bundle.function.name,
    }  # fmt: skip
    gpu = bundle.parameters.gpu if bundle.images.gpu else {}
    files: Files = {
        "main.py": render("main.py.j2").encode(),
        "model_handler.py": render(
            "model_handler.py.j2",
            runtime_options=bundle.runtime_options,
            gpu_parameters=gpu,
            carries=_carries([*bundle.parameters.cpu.values(), *gpu.values()]),
            **source,
        ).encode(),
        "test_function.py": render("test_function.py.j2", kind=bundle.kind, **_test_values(bundle)).encode(),
    }
    if bundle.bake:
        files["bake.py"] = render("bake.py.j2", carries=_carries(bundle.parameters.cpu.values()), **source).encode()
    return files


def _carries(values: Iterable[object]) -> bool:
    return any(isinstance(value, Carried) for value in values)


def _brought(bundle: Description) -> Files:
    """The function, its own modules and added files, where they do not lie in the bundle already."""
    function = bundle.function
    files: dict[str, Any] = {module.path: module.file for module in bundle.probe.local}
    for path in files:
        if path.removesuffix(".py").partition("/")[0] in names.TAKEN_MODULES:
            raise UserError(
                f"the function's module {path} cannot go into the bundle",
                why="the bundle or Nuclio has a module of that name",
                remedy="rename it",
            )
        check_place(path)
    for path, file in bundle.added.items():
        if files.setdefault(path, file).resolve() != file.resolve():
            raise UserError(
                f"{path} cannot be added to the bundle",
                why=f"the function's own module {files[path]} lies there",
                remedy="another place: --add PATH=PLACE",
            )
    if function.file:
        files["func.py"] = function.file
    return {path: file for path, file in files.items() if file != function.nuclio / path}


def requirements_files(bundle: Description, *, gpu: bool) -> list[str]:
    """What pip reads in the image of a form: the requirements, then the constraints that they name, if any."""
    form = "-gpu" if gpu and _differs(bundle) else ""
    pinned = bundle.gpu if form else bundle.cpu
    if pinned is None or not pinned.constraints:
        return [f"requirements{form}.txt"]
    own = form if pinned.constraints != bundle.cpu.constraints else ""
    return [f"requirements{form}.txt", f"constraints{own}.txt"]


def _differs(bundle: Description) -> bool:
    return bundle.gpu is not None and (bundle.gpu != bundle.cpu or bool(bundle.cpu_index_url))


def _requirements(bundle: Description) -> dict[str, str]:
    """The requirements and constraints of both forms, by file."""
    texts: dict[str, str] = {}
    for gpu, pinned in ((False, bundle.cpu), (True, bundle.gpu)):
        if pinned is None or (gpu and not _differs(bundle)):
            continue
        name, *constraints = requirements_files(bundle, gpu=gpu)
        texts[name] = render(
            "requirements.txt.j2", own=pinned.requirements.own, runtime=pinned.requirements.runtime,
            origin=pinned.requirements.origin, index_url="" if gpu else bundle.cpu_index_url, constraints=constraints,
        )  # fmt: skip
        for file in constraints:
            texts[file] = render(
                "constraints.txt.j2", pins=sorted(pinned.constraints.items()), download=pinned.download
            )
    return texts


def _test_values(bundle: Description) -> dict[str, Any]:
    spec = bundle.probe.spec
    if bundle.kind == "detector":
        return {"labels": spec["labels"]}
    if bundle.kind == "tracker":
        return {"shape_types": list(spec["shape_types"])}
    if bundle.kind == "interactor":
        inside = [[140.0, 120.0], [110.0, 90.0], [170.0, 150.0], [110.0, 150.0], [170.0, 90.0]]
        outside = [[20.0, 20.0], [300.0, 20.0], [20.0, 220.0], [300.0, 220.0]]
        boxed = spec["min_bounding_boxes"] is not None
        return {
            "pos_points": _points(inside, max(spec["min_pos_points"], 0 if spec["min_bounding_boxes"] else 1)),
            "neg_points": _points(outside, spec["min_neg_points"] or 0),
            "obj_bbox": [[100.0, 80.0], [180.0, 160.0]] if boxed else [],
            "interactor_answer": bundle.answers.interactor_answer,
        }
    return {}


def _points(pool: list[list[float]], count: int) -> list[list[float]]:
    return [[x + 3.0 * (index // len(pool)), y] for index in range(count) for x, y in [pool[index % len(pool)]]]


def _readme(bundle: Description) -> str:
    prebuilt, gpu, spec = bundle.image.prebuilt, bundle.images.gpu, bundle.probe.spec
    hints = {"interactor": " --pos 140,120", "tracker": " IMAGE --shape rectangle:100,80,180,160", "reid": " IMAGE"}
    return render(
        "README.md.j2",
        display_name=bundle.display_name, description=bundle.text, kind=bundle.kind, name=bundle.function.name,
        framework_title=bundle.framework_title, labels=spec.get("labels", []), shape_types=spec.get("shape_types", []),
        invoke_hint=hints.get(bundle.kind, ""), gpu=gpu is not None,
        driver=f"The host {gpu.driver}." if gpu and gpu.driver else "",
        prebuilt=prebuilt_image(prebuilt, gpu=False) if prebuilt else "",
        prebuilt_gpu=prebuilt_image(prebuilt, gpu=True) if prebuilt and gpu else "",
        in_memory=bundle.in_memory, refused_state=states.refused(bundle), bake=bundle.bake,
        downloads=bundle.downloads, secrets=bundle.image.build_secret,
    )  # fmt: skip


__all__ = ["assemble", "prebuilt_image", "tables", "variants"]
