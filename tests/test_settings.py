"""What a setting takes, and what it refuses before anything starts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from cti_server.record.sealing import new_key
from cti_server.settings import PbxSettings, Settings
from cti_server.settings_file import FileUnreadable, find


def test_the_encoding_of_names_is_set_for_a_pbx_and_its_trunks() -> None:
    (only,) = Settings(
        _env_file=None, ami_encoding="PJSIP/carrier-a=cp1251,gbk", ami_events_secret=SecretStr("")
    ).attached()
    assert only.encodings.of("PJSIP/carrier-a-0000001c") == "cp1251"
    assert only.encodings.of("PJSIP/1001-0000001d") == "gb18030"
    assert PbxSettings().encodings.of("PJSIP/1001-0000001d") is None


@pytest.mark.parametrize("wrong", ["utf-16", "nonsense", "gbk,big5"])
def test_an_encoding_that_nobody_knows_is_refused_by_name(wrong: str) -> None:
    with pytest.raises(ValidationError, match="encoding"):
        Settings(_env_file=None, ami_encoding=wrong)
    with pytest.raises(ValidationError, match="encoding"):
        PbxSettings(encoding=wrong)


def test_a_role_that_needs_a_second_factor_needs_a_key_to_keep_it_with() -> None:
    with pytest.raises(ValidationError, match="CTI_SECRET_KEY"):
        Settings(_env_file=None, second_factor_roles="administrator")  # type: ignore[arg-type]
    made = Settings(_env_file=None, second_factor_roles="administrator, supervisor", secret_key=new_key())  # type: ignore[arg-type]
    assert made.second_factor_roles == ("administrator", "supervisor")
    with pytest.raises(ValidationError, match="second_factor_roles"):
        Settings(_env_file=None, second_factor_roles="boss", secret_key=new_key())  # type: ignore[arg-type]


PROVIDER = {"oidc_issuer": "https://id.example", "oidc_client_id": "cti", "http_origins": "https://desk.example"}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"oidc_client_id": ""}, "CTI_OIDC_CLIENT_ID"),
        ({"http_origins": ""}, "CTI_HTTP_ORIGINS"),
        ({"oidc_issuer": "http://id.example"}, "https://"),
        ({"oidc_scopes": "profile"}, "openid"),
        ({"oidc_roles": "groups: a=boss"}, "administrator"),
        ({"oidc_issuer": None, "password_sign_in": False}, "nobody could sign in"),
    ],
)
def test_a_provider_that_could_not_work_is_refused_at_the_start(changes: dict[str, object], says: str) -> None:
    Settings(_env_file=None, **PROVIDER)  # type: ignore[arg-type]
    with pytest.raises(ValidationError, match=says):
        Settings(_env_file=None, **PROVIDER | changes)  # type: ignore[arg-type]


DOCS = Path(__file__).parents[1] / "docs"
ROW = re.compile(r"^\| `(CTI_\w+)` \| (?:`([^`]*)`|(none)) \|", re.MULTILINE)


@pytest.mark.parametrize("page", ["settings.md", "settings.zh-CN.md"])
def test_the_page_has_every_setting_with_its_default_and_no_other(page: str) -> None:
    rows = ROW.findall((DOCS / page).read_text("utf-8"))
    assert len({name for name, _, _ in rows}) == len(rows)
    told = {name: None if none else default for name, default, none in rows}
    assert told == {
        f"CTI_{name.upper()}": _written(field.default) for name, field in Settings.model_fields.items()
    }


def _written(default: object) -> str | None:
    """A default as an administrator would write it; None for none."""
    match default:
        case None | "" | ():
            return None
        case SecretStr():
            return _written(default.get_secret_value())
        case bool():
            return str(default).lower()
        case float():
            return f"{default:g}"
        case tuple():
            return ",".join(map(str, default))
    return str(default)


# --- where they are ----------------------------------------------------------------------------------------


def test_the_first_file_counts_and_only_it(tmp_path: Path) -> None:
    here, etc, var, named = (tmp_path / name for name in ("here", "etc.env", "var.env", "named.env"))
    here.mkdir()
    places = (etc, var)
    assert find({}, here, places) is None
    for file in (var, etc, here / ".env", named):
        file.write_text("CTI_HTTP_PORT=1\n")
        environ = {"CTI_CONFIG": str(named)} if file is named else {}
        assert find(environ, here, places) == file


def test_an_env_file_of_another_program_is_none_of_ours(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("POSTGRES_PASSWORD=x\n# CTI_HTTP_PORT=1\n")
    assert find({}, tmp_path, ()) is None
    (tmp_path / ".env").write_text("POSTGRES_PASSWORD=x\n export CTI_HTTP_PORT=1\n")
    assert find({}, tmp_path, ()) == tmp_path / ".env"


def test_a_file_that_is_named_and_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileUnreadable, match="no such file"):
        find({"CTI_CONFIG": "nowhere.env"}, tmp_path, ())


def test_a_file_that_is_no_text_is_an_error(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"CTI_AMI_EVENTS_SECRET=\xff\n")
    with pytest.raises(FileUnreadable, match="UTF-8"):
        find({}, tmp_path, ())


def test_a_path_in_a_file_is_relative_to_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there, here = tmp_path / "there", tmp_path / "here"
    for folder in (there, here):
        folder.mkdir()
    monkeypatch.chdir(here)
    file = there / "cti.env"
    file.write_text(
        "\ufeffCTI_DATABASE_URL=sqlite:///data/cti.db?timeout=1\nCTI_AMI_CA=ami.crt\n"
        'CTI_PBXS=[{"name": "north", "ca": "north.crt"}, {"name": "south", "ca": "/etc/south.crt"}]\n'
    )
    settings = Settings.load(file)
    assert settings.database_url == f"sqlite:///{there}/data/cti.db?timeout=1"
    assert settings.ami_ca == there / "ami.crt"
    assert [pbx.ca for pbx in settings.attached()] == [there / "north.crt", Path("/etc/south.crt")]
    assert settings.file == file

    monkeypatch.setenv("CTI_DATABASE_URL", "sqlite+aiosqlite:///./mine.db")
    assert Settings.load(file).database_url == f"sqlite+aiosqlite:///{here}/mine.db"
    monkeypatch.setenv("CTI_DATABASE_URL", "sqlite:////srv/x.db")
    assert Settings.load(file).database_url == "sqlite:////srv/x.db"
