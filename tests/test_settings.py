"""What a setting takes, and what it refuses before anything starts."""

from __future__ import annotations

import pytest
from pydantic import SecretStr, ValidationError

from cti_server.settings import PbxSettings, Settings


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
