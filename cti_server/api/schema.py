"""`python -m cti_server.api.schema`: prints the OpenAPI document of this version, without a running server."""

from __future__ import annotations

import json
import sys

from cti_server.api.create import openapi_document


def main() -> None:
    """The version number is left out: the types made of the document do not change with it."""
    document = openapi_document()
    document["info"]["version"] = "0"
    json.dump(document, sys.stdout, ensure_ascii=False, indent=1, sort_keys=True)
    print()


if __name__ == "__main__":
    main()
