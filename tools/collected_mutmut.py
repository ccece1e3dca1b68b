"""mutmut's `run`, with the tests collected once and not anew for every mutant, which was nine tenths of the time.

`tools/mutants.py` starts it, in a folder with mutmut's configuration; its arguments are those of `mutmut run`.
"""

import contextlib
import os
import sys
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

import pytest
from mutmut.__main__ import cli
from mutmut.mutation.trampoline import get_mutant_under_test, set_mutant_under_test
from mutmut.runners.harness import PytestRunner
from mutmut.state import state
from mutmut.utils.file_utils import change_cwd
from mutmut.workers import isolation


class Collection:
    """A pytest plugin that ends a session once its tests are known."""

    def __init__(self) -> None:
        self.items: dict[str, pytest.Item] = {}

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self.items = {item.nodeid: item for item in session.items}


class CollectedRunner(PytestRunner):
    """Runs a mutant's tests, already collected, in the process that mutmut forked for it."""

    def run_forced_fail(self) -> int:
        """mutmut's last step before the mutants: so the tests are collected after it."""
        done = super().run_forced_fail()
        mutant = get_mutant_under_test()
        set_mutant_under_test("")
        with change_cwd("mutants"):
            self._items = collected([*self._pytest_add_cli_args_test_selection, *self._pytest_add_cli_args])
        set_mutant_under_test(mutant)
        return done

    def run_tests(self, *, mutant_name: str | None, tests: Iterable[str]) -> int:
        """0 when all passed, 1 at the first that failed.

        mutmut's choice of tests comes first, and then all others that take less than a second: what a session's
        fixture calls is counted to the one test that asked for it first.
        """
        if mutant_name is None:
            return super().run_tests(mutant_name=mutant_name, tests=tests)
        os.chdir("mutants")
        chosen = dict.fromkeys(tests)
        seconds = state().duration_by_test
        rest = sorted((test for test in self._items if test not in chosen and seconds[test] < 1), key=seconds.get)
        for item, following in pairwise([*(self._items[test] for test in [*chosen, *rest]), None]):
            assert item is not None  # noqa: S101
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if item.session.testsfailed:
                return 1
        return 0


def collected(arguments: list[str]) -> dict[str, pytest.Item]:
    """The tests by their node ids, in a session that is left open for the processes forked from this one."""
    from _pytest.config import _prepareconfig

    collection = Collection()
    nowhere = Path(os.devnull).open("w")  # noqa: SIM115, for as long as the session lives
    with contextlib.redirect_stdout(nowhere):
        config = _prepareconfig(["--rootdir=.", "--capture=no", *arguments], plugins=[collection])
        config._do_configure()
    session = pytest.Session.from_config(config)
    config.hook.pytest_sessionstart(session=session)
    config.hook.pytest_collection(session=session)
    return collection.items


if __name__ == "__main__":
    isolation.PytestRunner = CollectedRunner
    cli(["run", *sys.argv[1:]])
