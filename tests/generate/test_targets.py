"""What the words of `generate` name, and the ids that new bundles get."""

from typing import Any

import pytest

from cvat_nuclio.generate.names import check_name, suggest


def stored(workshop: Any, folder: str) -> str:
    text: str = (workshop.folder / folder / "cvat-nuclio.yaml").read_text()
    return text


def test_a_function_s_file_becomes_a_bundle_beside_it(workshop: Any, zoo: Any) -> None:
    (workshop.folder / "deep").mkdir()
    (workshop.folder / "deep" / "street.py").write_bytes((zoo / "detector.py").read_bytes())
    run = workshop.run("deep/street.py", "--workers", "2")
    assert run.status == 0, run.err
    assert (workshop.folder / "deep/street/nuclio/function.yaml").is_file()
    assert "function-file: ../street.py" in stored(workshop, "deep/street")
    # The short form again, the long one, and the bundle: the same.
    for words in (
        ["deep/street.py", "--workers", 2],
        ["--function-file", "deep/street.py", "--workers", 2],
        ["deep/street"],
    ):
        again = workshop.run(*words)
        assert (again.status, "nothing to do" in again.out) == (0, True), again.err


def test_a_module_becomes_a_bundle_in_the_current_folder(workshop: Any, zoo: Any) -> None:
    (workshop.folder / "models").mkdir()
    (workshop.folder / "models" / "street.py").write_bytes((zoo / "detector.py").read_bytes())
    run = workshop.run("models.street")
    assert run.status == 0, run.err
    assert "function-module: models.street" in stored(workshop, "street")


def test_several_functions_at_once(workshop: Any, zoo: Any) -> None:
    for name in ("one", "two"):
        (workshop.folder / f"{name}.py").write_bytes((zoo / "detector.py").read_bytes())
    assert workshop.run("one.py", "two.py").status == 0
    assert "name: one" in stored(workshop, "one")
    assert "name: two" in stored(workshop, "two")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "generate func.py, or generate DIR"),
        (["none.py"], "there is no"),
        (["nowhere"], "there is no nowhere"),
        (["lone"], "cvat-nuclio generate lone/func.py"),
        (["f.py", "--function-file", "f.py"], "named twice"),
        (["f.py", "g.py", "--output", "x"], "--output"),
        (["full.py"], "full is there, and is no bundle"),
    ],
)
def test_words_that_name_nothing(workshop: Any, zoo: Any, words: list[str], said: str) -> None:
    for file in ("f.py", "g.py", "full.py", "lone/func.py", "full/own.txt"):
        (workshop.folder / file).parent.mkdir(exist_ok=True)
        (workshop.folder / file).write_bytes((zoo / "detector.py").read_bytes())
    run = workshop.run(*words)
    assert run.status == 2
    assert said in run.err
    assert not list(workshop.folder.glob("*/nuclio"))


@pytest.mark.parametrize("folder", ["детектор", "模型", "дорога yolo", "検出" * 40])
def test_a_name_in_another_script_gets_an_id_of_its_own(folder: str) -> None:
    name = suggest(folder)
    assert check_name(name) == name == suggest(folder)
    assert name != suggest(folder + folder[0])


def test_such_an_id_is_said(workshop: Any, zoo: Any) -> None:
    run = workshop.run("--function-file", zoo / "detector.py", "--output", "детектор")
    assert run.status == 0, run.err
    name = suggest("детектор")
    assert f"the id is {name}: letters of 'детектор' cannot stand in one" in run.err
    assert name.startswith("function-")


@pytest.mark.parametrize("file", ["street/func.py", "street/nuclio/main.py", "street/model.py", "street/model/func.py"])
def test_a_file_that_everybody_has_is_called_as_its_folder(workshop: Any, zoo: Any, file: str) -> None:
    path = workshop.folder / file
    path.parent.mkdir(parents=True)
    path.write_bytes((zoo / "detector.py").read_bytes())
    run = workshop.run(file)
    assert run.status == 0, run.err
    assert "the id is street, the name of the folder around" in run.err
    folder = file.removesuffix(".py")
    assert "name: street\n" in stored(workshop, folder)
    assert 'name: "street"' in (workshop.folder / folder / "nuclio/function.yaml").read_text()


def test_an_id_that_a_bundle_has_stays(workshop: Any, zoo: Any) -> None:
    (workshop.folder / "street").mkdir()
    (workshop.folder / "street/func.py").write_bytes((zoo / "detector.py").read_bytes())
    assert workshop.run("street/func.py", "--name", "func").status == 0
    for words in (["street/func.py"], ["street/func.py", "--workers", 2, "--force"], ["street/func"]):
        run = workshop.run(*words)
        assert run.status == 0, run.err
        assert "name: func\n" in stored(workshop, "street/func")
        assert "the id is" not in run.err


def test_accents_go_without_a_word() -> None:
    assert suggest("Modèle Straße") != suggest("Modèle Strae")
    assert suggest("Modèle") == "modele"


def test_two_bundles_of_one_id_are_told_apart(workshop: Any, zoo: Any) -> None:
    file = zoo / "detector.py"
    assert workshop.run("--function-file", file, "--output", "one").status == 0
    run = workshop.run("--function-file", file, "--output", "two", "--name", "one")
    assert run.status == 0
    assert "has the id one too: deploying one replaces the other" in run.err


def test_a_neighbour_that_cannot_be_read_is_no_fault_of_this_one(workshop: Any) -> None:
    (workshop.folder / "broken").mkdir()
    (workshop.folder / "broken" / "cvat-nuclio.yaml").write_text("a: [")
    workshop.generate("detector")
