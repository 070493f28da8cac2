"""docs/install.md on several servers, and the compose file: parsed, and said alike in every place."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import Any

import yaml

from cti_server.settings import Settings
from tests.documents import block

ROOT = Path(__file__).parents[2]
TWO_MACHINES, ON_ONE = "10.0.0.8:8080 10.0.0.9:8080", "127.0.0.1:8080 127.0.0.1:8081"
UNDER = {"install.md": "## Another server", "install.zh-CN.md": "## 再加一台服务器"}


def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    return found


def test_the_compose_file_and_the_documents_say_the_same_of_the_balancer() -> None:
    """There on two machines, here two processes on one."""
    said = {
        dedent(block(name, "caddyfile", under)).strip().replace(TWO_MACHINES, ON_ONE)
        for name, under in UNDER.items()
    }
    ours = compose()["configs"]["caddyfile"]["content"].replace("{$$CADDY_NAME}", "cti.example.com").strip()
    assert said == {ours}


def test_two_servers_have_ports_of_their_own_behind_the_balancer() -> None:
    services = compose()["services"]
    one, two = services["server"], services["second"]
    assert one["image"] == two["image"]
    assert one["depends_on"] == two["depends_on"]
    defaults = Settings.model_fields
    ports = [
        {defaults["http_port"].default, defaults["fastagi_port"].default},
        {int(two["environment"][name]) for name in ("CTI_HTTP_PORT", "CTI_FASTAGI_PORT")},
    ]
    assert not ports[0] & ports[1]
    asked = compose()["configs"]["caddyfile"]["content"]
    assert f"127.0.0.1:{defaults['http_port'].default} " in asked
    assert f"127.0.0.1:{two['environment']['CTI_HTTP_PORT']} " in asked
