"""The first minutes of somebody who has only installed it: a fresh folder, a database, a user, a sign-in."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import httpx

from cti_server.demo.ports import free_ports
from cti_server.record.engines import unsafe_sqlite
from tests.cli.commands import environment, run


def test_from_an_empty_folder_to_the_first_sign_in(tmp_path: Path) -> None:
    with free_ports(2) as (http, fastagi):
        pass
    file = tmp_path / ".env"
    file.write_text(f"CTI_DATABASE_URL=sqlite:///cti.db\nCTI_HTTP_PORT={http}\nCTI_FASTAGI_PORT={fastagi}\n")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    says = f"settings: {file}   database: {tmp_path}/cti.db"
    for command, folder, settings in (
        (("migrate",), tmp_path, {"CTI_CONFIG": ""}),  # finds ./.env
        (
            ("user", "add", "alice", "--name", "Alice", "--seat", "PJSIP/1001", "--password", "a good one"),
            elsewhere,
            {"CTI_CONFIG": str(file)},
        ),
    ):
        done = run(*command, folder=folder, **settings)
        assert (done.returncode, done.stderr.splitlines()[0]) == (0, says), done.stderr
    assert not list(elsewhere.iterdir())

    serving = subprocess.Popen(
        [sys.executable, "-m", "cti_server", "serve"],
        env=environment(CTI_CONFIG=str(file), CTI_AMI_PORT="1"),  # no PBX is there yet
        cwd=elsewhere,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{http}", timeout=30) as api:
            answer = signed_in(api, serving)
            assert (answer["login"], answer["seat"], answer["extension"]) == ("alice", "PJSIP/1001", "1001")
            assert "lunch" in {one["code"] for one in api.get("/api/reasons").json()}
            assert [phone["extension"] for phone in api.get("/api/phones").json()] == ["1001"]
            assert api.get("/readyz").status_code == 503  # nothing is attached
    finally:
        serving.terminate()
        _, said = serving.communicate(timeout=30)
    assert said.splitlines()[0] == says
    assert "Traceback" not in said
    assert said.count("this SQLite can corrupt") == (unsafe_sqlite() is not None)


def signed_in(api: httpx.Client, serving: subprocess.Popen[str]) -> dict[str, object]:
    deadline = time.monotonic() + 60
    while True:
        assert serving.poll() is None
        try:
            answer = api.post("/api/session", json={"login": "alice", "password": "a good one"})
        except httpx.TransportError:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        else:
            answer.raise_for_status()
            found: dict[str, object] = answer.json()
            return found
