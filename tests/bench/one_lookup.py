"""What one lookup costs: processor time of the process that answers, without FastAGI, floor or journal.

`python one_lookup.py URL CUSTOMERS FIRST COUNT` prints milliseconds a lookup as JSON, and asks about
`asked(COUNT)` numbers from the FIRST on. It uses nothing but `Lookup`, so that it measures whatever `cti_server`
is on the path: another version's, beside this one's, in the same run.
"""

from __future__ import annotations

import json
import sys
import time

import uvloop

from cti_server.lookup.identify import Lookup
from cti_server.record.database import Database

WARM_UP = 50  # statements are prepared, and planned for good after the fifth time on each connection
STRIDE = 7919  # a prime: numbers that are not next to each other in the tables, and none twice


def asked(count: int) -> int:
    return WARM_UP + 2 * count


async def main(url: str, customers: int, first: int, count: int) -> dict[str, float]:
    async with Database(url) as database:
        lookup = Lookup(database)

        async def one(n: int, *, card: bool) -> None:
            found = await lookup.identify("bench", f"0{13000000000 + n}", None, "4008002000")
            assert found.customer is not None, n
            if card:
                assert (await lookup.card("bench:1:1", found))["customer"] is not None

        async def cost(begin: int, *, card: bool) -> float:
            begun = time.process_time()
            for n in range(begin, begin + count):
                await one(number(n), card=card)
            return (time.process_time() - begun) / count * 1000

        def number(n: int) -> int:
            return 1 + n * STRIDE % customers

        for n in range(first, first + WARM_UP):
            await one(number(n), card=True)
        first += WARM_UP
        identify = await cost(first, card=False)
        both = await cost(first + count, card=True)
        return {"identify": identify, "both": both}


if __name__ == "__main__":
    found = uvloop.run(main(sys.argv[1], *map(int, sys.argv[2:5])))
    print(json.dumps(found))
