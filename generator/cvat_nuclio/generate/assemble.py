"""A bundle's description → its files."""

from collections.abc import Iterable
from typing import Any

from ..atomic import Content
from ..data import tables
from .added import brought
from .commented_yaml import commented
from .description import Description
from .function_config import Variant, check_size, function_config, image_comment, variants
from .parameters import Carried
from .provenance import bill_of_materials
from .render import MARK, render
from .steps import Step, steps

#: Its name, and the values in it.
Template = tuple[str, dict[str, Any]]


def assemble(bundle: Description) -> tuple[dict[str, Content], list[str]]:
    """The files below the bundle's folder, by path, and notes for the user. Raises UserError."""
    templates = {**_code(bundle), **_requirements(bundle), "README.md": ("README.md.j2", _readme(bundle))}
    texts, notes = {}, []
    for variant in variants(bundle):
        build = steps(bundle, gpu=variant.gpu)
        config = function_config(bundle, variant, build)
        texts[variant.file] = f"# {MARK}\n{commented(config)}"
        if variant.image:
            templates[variant.dockerfile] = ("Dockerfile.j2", _dockerfile(bundle, variant, build))
        elif bundle.image.sbom:
            texts[f"bom{'-gpu' if variant.gpu else ''}.cdx.json"] = bill_of_materials(bundle, gpu=variant.gpu)
        notes.append(check_size(config))
    texts |= {path: render(template, **values) for path, (template, values) in templates.items()}
    files: dict[str, Content] = {path: text.encode() for path, text in texts.items()}
    files |= brought(bundle)
    return {f"nuclio/{path}": content for path, content in files.items()}, list(dict.fromkeys(filter(None, notes)))


def _code(bundle: Description) -> dict[str, Template]:
    """The modules of the bundle's own."""
    cpu, gpu = bundle.parameters.cpu, bundle.parameters.gpu if bundle.forms.gpu else {}
    source = {
        "file": bundle.function.file, "module": bundle.function.function_module, "parameters": cpu,
        "kind": bundle.kind, "name": bundle.function.name,
    }  # fmt: skip
    carries = _carries([*cpu.values(), *gpu.values()])
    options = {"runtime_options": bundle.runtime_options, "gpu_parameters": gpu, "carries": carries}
    found: dict[str, Template] = {
        "main.py": ("main.py.j2", {}),
        "model_handler.py": ("model_handler.py.j2", {**source, **options}),
        "test_function.py": ("test_function.py.j2", {"kind": bundle.kind, **_test_values(bundle)}),
    }
    if bundle.bake:
        found["bake.py"] = ("bake.py.j2", {**source, "carries": _carries(cpu.values())})
    return found


def _carries(values: Iterable[object]) -> bool:
    return any(isinstance(value, Carried) for value in values)


def _requirements(bundle: Description) -> dict[str, Template]:
    """The requirements and constraints of both forms, by file; a file that both have is the CPU form's."""
    found: dict[str, Template] = {}
    for gpu in (True, False):
        pinned = bundle.form(gpu=gpu).pinned
        asked = pinned.requirements
        name, *constraints = bundle.requirements_files(gpu=gpu)
        lines = {"own": asked.own, "runtime": asked.runtime, "origin": asked.origin, "constraints": constraints}
        found[name] = ("requirements.txt.j2", {**lines, "index_url": "" if gpu else bundle.cpu_index_url})
        pins = {"pins": sorted(pinned.constraints.items()), "download": pinned.download}
        for file in constraints:
            found[file] = ("constraints.txt.j2", pins)
    return found


def _dockerfile(bundle: Description, variant: Variant, build: list[Step]) -> dict[str, Any]:
    form, version = bundle.form(gpu=variant.gpu), bundle.image.nuclio_version
    return {
        "variant": variant, "steps": build, "image_comment": image_comment(form), "base_image": form.image.reference,
        "nuclio_image": tables.nuclio_image(version), "never_run": tables.never_run(version) if version else "",
    }  # fmt: skip


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


def _readme(bundle: Description) -> dict[str, Any]:
    gpu, spec = bundle.forms.gpu, bundle.probe.spec
    images = {variant.gpu: variant.image for variant in variants(bundle)}
    hints = {"interactor": " --pos 140,120", "tracker": " IMAGE --shape rectangle:100,80,180,160", "reid": " IMAGE"}
    return {
        "display_name": bundle.display_name, "description": bundle.text, "kind": bundle.kind,
        "name": bundle.function.name, "framework_title": bundle.framework_title, "labels": spec.get("labels", []),
        "shape_types": spec.get("shape_types", []), "invoke_hint": hints.get(bundle.kind, ""), "gpu": gpu is not None,
        "driver": f"The host {gpu.driver}." if gpu and gpu.driver else "", "prebuilt": images[False],
        "prebuilt_gpu": images.get(True, ""), "in_memory": bundle.in_memory, "refused_state": bundle.refused_state,
        "bake": bundle.bake, "downloads": bundle.downloads, "secrets": bundle.image.build_secret,
    }  # fmt: skip
