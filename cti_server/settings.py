"""Every setting: reads `CTI_…` variables, and those of a file, once, into one frozen value.

docs/settings.md says what each means; a test keeps the two alike. `settings_file.py` finds the file.
"""

from __future__ import annotations

import os
import re
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from .rules.facts import DialForm, Role
from .settings_file import ENCODING
from .wire.cel import Columns
from .wire.cel_place import Place
from .wire.cel_times import Times
from .wire.text import Encodings

if TYPE_CHECKING:
    from .record.sealing import Sealer
    from .record.upkeep.run import Kept

_RELATIVE_SQLITE = re.compile(r"^(sqlite(?:\+\w+)?:///)(?!/|:memory:)(.+)$")


def _check_cel(cel: SecretStr, columns: str, dateformat: str, zone: str) -> None:
    """Raises ValueError for what could not be read, whatever the log says."""
    if where := cel.get_secret_value():
        Place.parse(where)
    if columns:
        Columns.parse(columns)
    Times.of(zone, dateformat)


class Account(BaseModel):
    """One AMI user. `secret` never appears in a log or a repr."""

    model_config = ConfigDict(frozen=True)

    user: str
    secret: SecretStr


class PbxSettings(BaseModel):
    """How to reach one Asterisk: where its manager listens, and a least-privilege user for each role.

    Only `events` is required. A command whose role has no account is refused as `no_account`. `encoding` says what
    names that are not UTF-8 are in: `gb18030`, or for each trunk, `PJSIP/carrier-a=cp1251,DAHDI=gb18030`. `cel` is
    where the PBX's own log of channel events is, for calls that no server saw (`wire/cel_place.py`).
    """

    model_config = ConfigDict(frozen=True)

    name: str = Field(default="main", pattern=r"^[A-Za-z0-9_-]{1,40}$")
    host: str = "127.0.0.1"
    port: int = Field(default=5038, ge=1, le=65535)
    tls: bool = False
    ca: Path | None = None
    events: Account = Account(user="cti-events", secret=SecretStr(""))
    agent: Account | None = None
    call: Account | None = None
    originate: Account | None = None
    notify: Account | None = None  # optional: answers desk phones, and needs write=system
    encoding: str = ""
    dial: DialForm = "e164"
    cel: SecretStr = SecretStr("")  # it may have a database's password
    cel_columns: str = ""
    cel_dateformat: str = ""
    cel_zone: str = ""

    @field_validator("encoding")
    @classmethod
    def _encodings_are_known(cls, text: str) -> str:
        Encodings.parse(text)
        return text

    @model_validator(mode="after")
    def _cel_can_be_read(self) -> PbxSettings:
        _check_cel(self.cel, self.cel_columns, self.cel_dateformat, self.cel_zone)
        return self

    @property
    def encodings(self) -> Encodings:
        return Encodings.parse(self.encoding)


class Settings(BaseSettings):
    """The server's settings. Unknown `CTI_` variables are refused by `doctor`, not here."""

    model_config = SettingsConfigDict(env_prefix="CTI_", extra="ignore", frozen=True)

    _file: Path | None = PrivateAttr(default=None)

    database_url: str = "sqlite:////var/lib/cti-server/cti-server.db"

    http_host: str = "127.0.0.1"
    http_port: int = Field(default=8080, ge=0, le=65535)
    http_origins: Annotated[tuple[str, ...], NoDecode] = ()
    http_proxies: Annotated[tuple[str, ...], NoDecode] = ()  # the proxies whose X-Forwarded-For is trusted
    cookie_secure: bool = False
    # what one peer, and all of them, may use up: see listener/limits.py
    http_connections: int = Field(default=8192, ge=16)  # fewer where the system allows fewer open files
    http_per_address: int = Field(default=4096, ge=1)  # 500 desktops behind one address, eight connections each
    http_headers_s: float = Field(default=10.0, gt=0, le=600)
    http_body_s: float = Field(default=30.0, gt=0, le=600)
    http_idle_s: int = Field(default=75, ge=1, le=3600)
    http_stalled_s: float = Field(default=30.0, gt=0, le=600)

    fastagi_host: str = "127.0.0.1"
    fastagi_port: int = Field(default=4573, ge=0, le=65535)
    fastagi_allow: Annotated[tuple[str, ...], NoDecode] = ("127.0.0.0/8", "::1/128")
    fastagi_token: SecretStr | None = None
    lookup_deadline_ms: int = Field(default=300, ge=10, le=5000)
    identify_token: SecretStr | None = None
    # what the record must give back in clear is sealed with the first, and opened with each
    secret_key: Annotated[tuple[SecretStr, ...], NoDecode] = ()
    second_factor_roles: Annotated[tuple[Role, ...], NoDecode] = ()  # who may do nothing without one

    password_sign_in: bool = True
    oidc_issuer: str | None = None
    oidc_client_id: str | None = None
    oidc_client_secret: SecretStr | None = None
    oidc_name: str = Field(default="", max_length=60)
    oidc_scopes: str = "openid profile email"
    oidc_login_claim: str = Field(default="preferred_username", min_length=1)
    oidc_roles: str = ""  # groups: cti-admins=administrator, cti-leads=supervisor, *=agent
    oidc_create: bool = False

    default_region: str = Field(default="CN", pattern=r"^[A-Z]{2}$")
    snapshot_every_s: float = Field(default=30.0, gt=0)
    softphone_url: str | None = Field(default=None, pattern=r"^wss?://[^\s]+$")  # Asterisk's, for browser phones
    # STUN and TURN for browser phones: stun:host:3478, turn:user:secret@host:3478?transport=udp
    softphone_ice: Annotated[tuple[str, ...], NoDecode] = Field(default=(), repr=False)
    desktop_grace_s: float = Field(default=30.0, gt=0)  # an agent whose desktop is gone longer is made not ready
    phone_grace_s: float = Field(default=10.0, gt=0)  # and so is one whose phone is gone longer
    give_back_on_stop: bool = True  # a server that stops unpauses its agents' phones, where no other takes over

    pbx: str = "main"
    ami_host: str = "127.0.0.1"
    ami_port: int = Field(default=5038, ge=1, le=65535)
    ami_tls: bool = False
    ami_ca: Path | None = None
    ami_events_user: str = "cti-events"
    ami_events_secret: SecretStr = SecretStr("")
    ami_agent_user: str = "cti-agent"
    ami_agent_secret: SecretStr | None = None
    ami_call_user: str = "cti-call"
    ami_call_secret: SecretStr | None = None
    ami_originate_user: str = "cti-originate"
    ami_originate_secret: SecretStr | None = None
    ami_notify_user: str = "cti-notify"
    ami_notify_secret: SecretStr | None = None
    ami_encoding: str = ""
    dial: DialForm = "e164"  # how the PBX is told a number outside: with +, its digits, or as its region dials it
    cel: SecretStr = SecretStr("")
    cel_columns: str = ""
    cel_dateformat: str = ""
    cel_zone: str = ""

    pbxs: tuple[PbxSettings, ...] = ()

    journal_kept_days: int = Field(default=3, ge=1, le=366)  # whoever was away longer starts over
    messages_kept_days: int = Field(default=90, ge=1, le=3660)

    log_json: bool = False
    log_level: str = Field(default="info", pattern=r"(?i)^(debug|info|warning|error|critical)$")

    @field_validator("default_region")
    @classmethod
    def _region_is_known(cls, region: str) -> str:
        from .rules.numbers import REGIONS

        if region not in REGIONS:
            raise ValueError(f"{region} is no region; two letters, as CN, GB or US (ISO 3166)")
        return region

    @classmethod
    def load(cls, file: Path | None, **changes: Any) -> Settings:
        """The settings of the environment and of this file; `changes` are fields that count before both.

        A relative path in the file is relative to the file's folder, so that a command means the same in every
        folder; one in the environment is relative to the current folder. Raises pydantic's ValidationError, and
        SettingsError for JSON that cannot be read.
        """
        made = cls(_env_file=file, _env_file_encoding=ENCODING, **changes)
        outside = {name.upper() for name in os.environ} | {f"CTI_{name.upper()}" for name in changes}

        def absolute(name: str, path: Path) -> Path:
            from_file = file is not None and f"CTI_{name.upper()}" not in outside
            return (file.absolute().parent if file is not None and from_file else Path.cwd()) / path

        resolved: dict[str, Any] = {}
        if (relative := _RELATIVE_SQLITE.match(made.database_url)) is not None:
            resolved["database_url"] = f"{relative[1]}{absolute('database_url', Path(relative[2]))}"
        if made.ami_ca is not None:
            resolved["ami_ca"] = absolute("ami_ca", made.ami_ca)
        if made.pbxs:
            resolved["pbxs"] = tuple(
                pbx if pbx.ca is None else pbx.model_copy(update={"ca": absolute("pbxs", pbx.ca)})
                for pbx in made.pbxs
            )
        made = made.model_copy(update=resolved)
        made._file = file
        return made

    @property
    def file(self) -> Path | None:
        """The file that was read; None when all comes from the environment and the defaults."""
        return self._file

    @model_validator(mode="before")
    @classmethod
    def _split_lists(cls, values: dict[str, object]) -> dict[str, object]:
        for name in (
            "http_origins",
            "http_proxies",
            "fastagi_allow",
            "softphone_ice",
            "secret_key",
            "second_factor_roles",
        ):
            if isinstance(given := values.get(name), str):
                values[name] = tuple(part.strip() for part in given.split(",") if part.strip())
        return values

    @field_validator("secret_key")
    @classmethod
    def _keys_are_keys(cls, keys: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        from .record.sealing import key_of

        for key in keys:
            key_of(key.get_secret_value())
        return keys

    @field_validator("ami_encoding")
    @classmethod
    def _encodings_are_known(cls, text: str) -> str:
        Encodings.parse(text)
        return text

    @model_validator(mode="after")
    def _cel_can_be_read(self) -> Settings:
        _check_cel(self.cel, self.cel_columns, self.cel_dateformat, self.cel_zone)
        return self

    @model_validator(mode="after")
    def _names_are_unique(self) -> Settings:
        names = [pbx.name for pbx in self.pbxs]
        if len(set(names)) != len(names):
            raise ValueError(f"CTI_PBXS names a PBX twice: {', '.join(names)}; give each a name of its own")
        return self

    @field_validator("oidc_issuer")
    @classmethod
    def _issuer_is_safe(cls, issuer: str | None) -> str | None:
        from .rules.identity import is_safe

        if issuer is not None and not is_safe(issuer):
            raise ValueError("an issuer begins with https://, as its discovery document writes it")
        return issuer

    @field_validator("oidc_scopes")
    @classmethod
    def _scopes_have_openid(cls, scopes: str) -> str:
        if "openid" not in scopes.split():
            raise ValueError("scopes are words between spaces, and openid is one of them: openid profile email")
        return scopes

    @field_validator("oidc_roles")
    @classmethod
    def _roles_are_mapped(cls, text: str) -> str:
        from .rules.identity import RoleMap

        if text:
            RoleMap.parse(text)
        return text

    @model_validator(mode="after")
    def _provider_is_whole(self) -> Settings:
        if self.oidc_issuer is None:
            if not self.password_sign_in:
                raise ValueError("CTI_PASSWORD_SIGN_IN=false needs CTI_OIDC_ISSUER: nobody could sign in")
            return self
        if not self.oidc_client_id:
            raise ValueError("CTI_OIDC_ISSUER needs CTI_OIDC_CLIENT_ID, as the provider calls this server")
        if not self.http_origins:
            raise ValueError(
                "CTI_OIDC_ISSUER needs CTI_HTTP_ORIGINS, the address of the desktop to which the provider sends "
                "people back: CTI_HTTP_ORIGINS=https://desk.example"
            )
        return self

    @model_validator(mode="after")
    def _second_factors_can_be_kept(self) -> Settings:
        if self.second_factor_roles and not self.secret_key:
            raise ValueError(
                "CTI_SECOND_FACTOR_ROLES needs CTI_SECRET_KEY, by which the second factors are kept: "
                "cti-server key prints one"
            )
        return self

    def sealer(self) -> Sealer:
        """What seals and opens the secrets of the record."""
        from .record.sealing import Sealer

        return Sealer(key.get_secret_value() for key in self.secret_key)

    def kept(self) -> Kept:
        """How long what is not kept for ever is kept."""
        from .record.upkeep.run import Kept

        return Kept(timedelta(days=self.journal_kept_days), timedelta(days=self.messages_kept_days))

    def attached(self) -> tuple[PbxSettings, ...]:
        """The PBXs to attach to: `CTI_PBXS` if given, else the one that `CTI_PBX` and `CTI_AMI_…` describe."""
        if self.pbxs:
            return self.pbxs

        def account(user: str, secret: SecretStr | None) -> Account | None:
            return Account(user=user, secret=secret) if secret is not None else None

        return (
            PbxSettings(
                name=self.pbx,
                host=self.ami_host,
                port=self.ami_port,
                tls=self.ami_tls,
                ca=self.ami_ca,
                events=Account(user=self.ami_events_user, secret=self.ami_events_secret),
                agent=account(self.ami_agent_user, self.ami_agent_secret),
                call=account(self.ami_call_user, self.ami_call_secret),
                originate=account(self.ami_originate_user, self.ami_originate_secret),
                notify=account(self.ami_notify_user, self.ami_notify_secret),
                encoding=self.ami_encoding,
                dial=self.dial,
                cel=self.cel,
                cel_columns=self.cel_columns,
                cel_dateformat=self.cel_dateformat,
                cel_zone=self.cel_zone,
            ),
        )
