"""What `make images` builds from; the images themselves need a Docker daemon."""

from pathlib import Path

from tools import build_images

from cvat_nuclio.nuclio.function_yaml import FunctionYaml

SERVERLESS = Path(build_images.ROOT) / "serverless"


def test_a_checkout_s_bundle_is_built_with_the_runtime_that_it_does_not_hold(tmp_path: Path) -> None:
    bundle = FunctionYaml.open(SERVERLESS / "opencv" / "grabcut", "function.yaml")
    build_images.stage(bundle, tmp_path)
    assert (tmp_path / "handler" / "aa_runtime" / "handler.py").is_file()
    assert "COPY handler /opt/nuclio" in (tmp_path / "Dockerfile").read_text("utf-8")


def test_a_function_of_somebody_else_s_gets_no_runtime(tmp_path: Path) -> None:
    folder = tmp_path / "own"
    folder.mkdir()
    build = "spec: {build: {baseImage: 'python:3.11-slim'}}"
    (folder / "function.yaml").write_text(f"metadata: {{name: own}}\n{build}\n", "utf-8")
    (folder / "main.py").write_text("def handler(context, event): ...\n", "utf-8")
    staged = tmp_path / "staged"
    staged.mkdir()
    build_images.stage(FunctionYaml.open(folder, "function.yaml"), staged)
    assert sorted(path.name for path in (staged / "handler").iterdir()) == ["function.yaml", "main.py"]
