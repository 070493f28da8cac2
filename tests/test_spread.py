"""How tests are spread over workers: a file stays together, or is cut into pieces of whole tests."""

from __future__ import annotations

import pytest

from tests import spread


@pytest.fixture
def _costs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spread, "SECONDS", {"long.py": spread.PIECE_S * 2.5, "whole.py": spread.PIECE_S * 3})
    monkeypatch.setattr(spread, "WHOLE", frozenset({"whole.py"}))


@pytest.mark.usefixtures("_costs")
def test_a_file_stays_together_unless_it_is_long() -> None:
    tests = ["short.py::a", "short.py::b", "whole.py::a", "whole.py::b[1]"]
    assert spread.pieces(tests) == {
        "short.py::a": "short.py",
        "short.py::b": "short.py",
        "whole.py::a": "whole.py",
        "whole.py::b[1]": "whole.py",
    }


@pytest.mark.usefixtures("_costs")
@pytest.mark.parametrize("count", [1, 2, 3, 7, 20])
def test_a_long_file_is_cut_into_pieces_of_tests_that_follow_one_another(count: int) -> None:
    tests = [f"long.py::test_{n}" for n in range(count)]
    found = spread.pieces(tests)
    assert list(found) == tests, "no test is lost"
    names = list(dict.fromkeys(found.values()))
    assert len(names) == min(count, 3)
    assert sorted(names, key=list(found.values()).index) == names
    sizes = [list(found.values()).count(name) for name in names]
    assert max(sizes) - min(sizes) <= 1


def test_the_files_that_are_named_are_there(pytestconfig: pytest.Config) -> None:
    named = set(spread.SECONDS) | spread.WHOLE
    assert [name for name in sorted(named) if not (pytestconfig.rootpath / name).is_file()] == []
