"""What is read of dialplans that people write: each Queue() is found, also where no line can be put before it."""

from __future__ import annotations

from pathlib import Path

import pytest

from cti_server.attach.layout import read
from cti_server.attach.wanted import asking


@pytest.mark.parametrize(
    ("step", "queue"),
    [
        ("exten => 400,1,ExecIf($[${DB(night/on)} = 0]?Queue(support,t):Playback(closed))", "support"),
        ("exten => 400,1,TryExec(Queue(support))", "support"),
        ("exten => 400,1,ExecIf($[1]?Playback(x):Queue(${Q},t))", None),
    ],
)
def test_a_queue_within_another_application_is_for_hand(tmp_path: Path, step: str, queue: str | None) -> None:
    (tmp_path / "extensions.conf").write_text(f"[from-carrier]\n{step}\n")
    (found,) = read(tmp_path).steps
    assert (found.exten, found.queue, found.by_hand) == ("400", queue, True)
    assert asking(found, tmp_path, desk=True) is None


def test_queues_of_other_languages_are_found(tmp_path: Path) -> None:
    (tmp_path / "extensions.ael").write_text(
        "context a {\n  // Queue(old);\n  400 => {\n    Queue(support,t);\n  }\n}\n"
    )
    (tmp_path / "extensions.lua").write_text('-- app.Queue("old")\napp.Queue("sales")\n')
    found = read(tmp_path).elsewhere
    assert found == [("extensions.ael", 4, "Queue(support,t);"), ("extensions.lua", 2, 'app.Queue("sales")')]
