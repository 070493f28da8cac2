"""Numbers of many regions as people write them: what each reaches from here, and who may dial it by the default.

A row: (region that dials, what is written, kind, country). Who may: see `WHO`.
"""

from __future__ import annotations

from typing import Final

from cti_server.rules.destinations import Kind
from cti_server.rules.facts import Role

ROLES: Final[tuple[Role, ...]] = ("agent", "supervisor", "administrator")
EVERYONE: Final = frozenset(ROLES)
NOBODY: Final[frozenset[Role]] = frozenset()
#: kind → the roles to whom the default policy gives it, on shift
WHO: Final[dict[Kind, frozenset[Role]]] = {
    "internal": EVERYONE,
    "own": EVERYONE,
    "emergency": EVERYONE,
    "premium": NOBODY,
    "shared_cost": NOBODY,
    "satellite": NOBODY,
    "toll_free": EVERYONE,
    "national": EVERYONE,
    "international": frozenset({"administrator"}),
    "special": EVERYONE,
    "unknown": NOBODY,
}

#: the center's own lines in these rows
OWN: Final = frozenset({"+862085550100", "+442079460100"})

NUMBERS: Final[list[tuple[str, str, Kind, str | None]]] = [
    # China
    ("CN", "1002", "internal", None),
    ("CN", "8001", "internal", None),
    ("CN", "138 0013 8000", "national", "CN"),
    ("CN", "021-6288 1234", "national", "CN"),
    ("CN", "008613800138000", "national", "CN"),
    ("CN", "１３８００１３８０００", "national", "CN"),
    ("CN", "tel:+8613800138000", "national", "CN"),
    ("CN", "sip:13800138000@pbx.example;user=phone", "national", "CN"),
    ("CN", "13800138000,,123", "national", "CN"),
    ("CN", "800 810 1234", "toll_free", "CN"),
    ("CN", "400 800 1000", "shared_cost", "CN"),
    ("CN", "020 8555 0100", "own", "CN"),
    ("CN", "110", "emergency", "CN"),
    ("CN", "122", "emergency", "CN"),
    ("CN", "9-120", "emergency", "CN"),
    ("CN", "+86 119", "emergency", "CN"),
    ("CN", "10086", "special", None),
    ("CN", "12345", "special", None),
    ("CN", "12580", "unknown", None),
    ("CN", "0019005551234", "premium", "US"),
    ("CN", "+1 900 555 1234", "premium", "US"),
    ("CN", "+85223456789", "international", "HK"),
    ("CN", "00852 2345 6789", "international", "HK"),
    ("CN", "+44 20 7946 0018", "international", "GB"),
    ("CN", "+1 888 555 1234", "international", "US"),
    ("CN", "+53 5 2345678", "international", "CU"),
    ("CN", "+252 61 2345678", "international", "SO"),
    ("CN", "+371 12345678", "unknown", "LV"),
    ("CN", "+870 773 111 632", "satellite", "001"),
    ("CN", "00 881 6 1234 5678", "satellite", "001"),
    ("CN", "+882 16 21111", "satellite", "001"),
    ("CN", "+88213300655", "satellite", "001"),
    ("CN", "+883 5100 012345", "satellite", "001"),
    ("CN", "+979 123456789", "premium", "001"),
    ("CN", "+800 1234 5678", "toll_free", "001"),
    # The United States: +1 is 25 countries.
    ("US", "(212) 555-2368", "national", "US"),
    ("US", "909 555 1234", "national", "US"),
    ("US", "1-800-555-1234", "toll_free", "US"),
    ("US", "833 555 1234", "toll_free", "US"),
    ("US", "1 900 555 1234", "premium", "US"),
    ("US", "9 1 900 555 1234", "premium", "US"),
    ("US", "809 555 1234", "international", "DO"),
    ("US", "1-829-555-1234", "international", "DO"),
    ("US", "(876) 555-1234", "international", "JM"),
    ("US", "+1 416 555 1234", "international", "CA"),
    ("US", "911", "emergency", "US"),
    ("US", "9911", "emergency", "US"),
    ("US", "9,911", "emergency", "US"),
    ("US", "411", "special", None),
    ("US", "101", "internal", None),
    # Great Britain, with the islands that share its code
    ("GB", "020 7946 0018", "national", "GB"),
    ("GB", "020 7946 0100", "own", "GB"),
    ("GB", "07400 123456", "national", "GB"),
    ("GB", "0800 1111", "toll_free", "GB"),
    ("GB", "0909 879 0000", "premium", "GB"),
    ("GB", "0843 321 0000", "premium", "GB"),
    ("GB", "070 1234 5678", "premium", "GB"),
    ("GB", "01481 960000", "international", "GG"),
    ("GB", "999", "emergency", "GB"),
    ("GB", "112", "emergency", "GB"),
    # Germany, France, Norway
    ("DE", "030 1234567", "national", "DE"),
    ("DE", "01805 123456", "shared_cost", "DE"),
    ("DE", "+49 900 312345", "unknown", "DE"),
    ("DE", "0049112", "emergency", "DE"),
    ("FR", "15", "emergency", "FR"),
    ("FR", "08 99 12 34 56", "premium", "FR"),
    ("NO", "911 23 456", "national", "NO"),
    ("NO", "113", "emergency", "NO"),
    ("AU", "000", "emergency", "AU"),
]

#: what is no number that could be dialled: feature codes, letters, two numbers, another's prefix before it
NONE_AT_ALL: Final = [
    ("US", "1-900-FLOWERS"),
    ("US", "*67 1 900 555 1234"),
    ("US", "*729005551234"),
    ("US", "9,19005551234"),
    ("CN", "#31#13800138000"),
    ("CN", "**21*0019005551234#"),
    ("CN", "13800138000&PJSIP/0019005551234@trunk"),
    ("CN", "13800138000@from-internal"),
    ("CN", "1380013800o"),
    ("CN", "16888123456"),  # a premium range that no plan lists
    ("CN", "+16888123456789"),
    ("CN", ""),
    ("CN", "+"),
    ("CN", "sip:trunk.example"),
    ("CN", "anonymous"),
    ("CN", "8" * 200),
]
