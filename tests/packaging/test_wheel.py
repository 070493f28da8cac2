"""The wheel has everything that a server needs: desktop, migrations, dialplans, licence."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The files of a wheel built from this checkout, with the packages that the tests already have."""
    if not (CHECKOUT / "agents_ui" / "dist" / "index.html").exists():
        pytest.fail("the desktop is not built; run: make desktop", pytrace=False)
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(CHECKOUT)]
    done = subprocess.run(build, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    [wheel] = folder.glob("*.whl")
    return set(zipfile.ZipFile(wheel).namelist())


def test_it_has_the_desktop(names: set[str]) -> None:
    assert "cti_server/desktop/index.html" in names
    assert any(name.startswith("cti_server/desktop/assets/") and name.endswith(".js") for name in names)


def test_it_has_every_revision_and_every_dialplan(names: set[str]) -> None:
    for folder, pattern in (("migrations", "**/*.py"), ("dialplans", "**/*.conf"), ("dialplans", "**/*.py")):
        shipped = {f"cti_server/{file.relative_to(CHECKOUT)}" for file in (CHECKOUT / folder).glob(pattern)}
        assert shipped <= names


def test_it_has_the_unit_where_the_documents_copy_it_from(names: set[str]) -> None:
    assert "cti_server/cti-server.service" in names


def test_it_has_the_licence_and_no_leftovers(names: set[str]) -> None:
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert any(name.endswith("licenses/NOTICE") for name in names)
    assert not [name for name in names if "node_modules" in name or name.startswith(("tests/", "agents_ui/"))]
