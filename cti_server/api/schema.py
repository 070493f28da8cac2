"""`python -m cti_server.api.schema` prints the OpenAPI document of this version; it needs no running server."""

from __future__ import annotations

import json
import sys

from cti_server.api.create import openapi_document


def main() -> None:
    """Print the document with version 0, so that the types made from it do not change with each version."""
    document = openapi_document()
    document["info"]["version"] = "0"
    json.dump(document, sys.stdout, ensure_ascii=False, indent=1, sort_keys=True)
    print()


if __name__ == "__main__":
    main()
