"""The doctor's texts about the PBX's log of channel events (CEL)."""

from __future__ import annotations

from cti_server.doctor.texts.shape import Text

HOW = (
    "On the PBX: copy dialplans/cel_cti.conf and cel_custom_cti.conf beside cel.conf, put  #include cel_cti.conf  "
    "into cel.conf and  #include cel_custom_cti.conf  into cel_custom.conf, then\n"
    'asterisk -rx "module reload cel"   asterisk -rx "module load cel_custom.so"   (reload, where it is loaded)\n'
    "CTI_CEL=/var/log/asterisk/cel-custom/cti.csv   in the settings; docs/install.md says more, for FreePBX too"
)

CEL: dict[str, Text] = {
    "cel.none": Text(
        "ok",
        "CTI_CEL is not set: calls that begin and end while no server hears the PBX will not be in the record",
        HOW,
    ),
    "cel.none_gaps": Text(
        "warning",
        "CTI_CEL is not set: the calls of {count} times without a server, {minutes} min together, the first from "
        "{first} UTC on, are not in the record",
        HOW,
    ),
    "cel.unreadable": Text(
        "problem",
        "the PBX's log of channel events cannot be read: {why}",
        "What it says; the user who runs the server must be allowed to read it. Calls that nobody sees stay "
        "out of the record until then",
    ),
    "cel.silent": Text(
        "warning",
        "{place} has no event of the last {days} days",
        'asterisk -rx "cel show status"   on the PBX says whether CEL is on, which events it tracks, and which '
        "back-ends write them",
    ),
    "cel.events": Text(
        "warning",
        "the log lacks {missing}: calls that nobody saw would be told without them",
        'Add them to  events  in cel.conf (as in dialplans/cel_cti.conf), then   asterisk -rx "module reload cel"',
    ),
    "cel.queues": Text(
        "warning",
        "the log lacks {missing} of Queue(): for calls that nobody saw, waits and who gave up stay unknown",
        "In cel.conf: queue among  apps , APP_START and APP_END among  events  (dialplans/cel_cti.conf), then   "
        'asterisk -rx "module reload cel"',
    ),
    "cel.seconds": Text(
        "warning",
        "{place} has whole seconds: times of calls that nobody saw are exact to one second",
        "Without  dateformat  in cel.conf, times are written with microseconds; FreePBX's table cannot hold them",
    ),
    "cel.columns": Text(
        "warning",
        "CTI_CEL_COLUMNS lacks {lacking}: contacts would lack who called, or where to",
        "Add them to the mapping in cel_custom.conf, as in dialplans/cel_custom_cti.conf, and to CTI_CEL_COLUMNS",
    ),
    "cel.unfilled": Text(
        "warning",
        "{count} times without a server, {minutes} min together, the first from {first} UTC on, are not filled "
        "yet: {why}",
        "The server tries again every minute while it runs, for seven days",
    ),
    "cel.ok": Text("ok", "{place} can be read; its newest event is from {newest} UTC"),
}
