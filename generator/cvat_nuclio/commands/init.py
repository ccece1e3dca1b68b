"""`cvat-nuclio init`."""

import argparse
from pathlib import Path

from ..limits import KINDS


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("kind", choices=KINDS, help="what the function is to CVAT")
    parser.add_argument("--output", metavar="DIR", type=Path, help="where to (the kind's name)")


def run(args: argparse.Namespace) -> int:
    """Writes func.py and test_func.py; 0. Raises UserError where one is there already."""
    from ..atomic import write_all
    from ..errors import UserError
    from ..generate.render import render

    folder = args.output or Path(args.kind)
    files = {folder / "func.py": f"init_{args.kind}.py.j2", folder / "test_func.py": "init_test.py.j2"}
    for path in files:
        if path.exists():
            raise UserError(f"{path} is there already", remedy="another folder: --output DIR")
    folder.mkdir(parents=True, exist_ok=True)
    write_all({path: render(template, kind=args.kind).encode() for path, template in files.items()})
    print("wrote", *files)
    print(f"next: python -m pytest {folder}, then cvat-nuclio generate {folder / 'func.py'}")
    return 0
