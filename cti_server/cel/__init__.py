"""CEL as the site has it: what its log says of calls that this server did not see.

A *row* is one event of one channel (`wire/cel.py`); a *story* all rows of one call (`stories`); what a story says
is put into the floor's own signals (`translate`) and played on a floor of its own (`replay`), so that a contact
from CEL means what any other contact means. These three are pure; the readers (`csv_file`, `sqlite_file`,
`postgres`, `mysql`) do the I/O, and `source` chooses among them."""
