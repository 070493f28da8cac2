"""The doctor's texts about a PBX behind its manager: Asterisk, dialplan, desk, queues, agents."""

from __future__ import annotations

from cti_server.doctor.text import RELOAD_DIALPLAN, RELOAD_MANAGER, Text

PBX: dict[str, Text] = {
    # --- Asterisk itself
    "asterisk.version": Text("ok", "Asterisk {version}"),
    "asterisk.untested": Text("ok", "Asterisk {version}; this server is tested with 22"),
    "asterisk.old": Text(
        "warning",
        "Asterisk {version} is older than 18: what it says of transfers and queues may be misread",
        "Upgrade to an Asterisk with long-term support: 20 or 22.",
    ),
    "asterisk.version_unseen": Text(
        "warning", "the version cannot be seen from here", 'asterisk -rx "core show version"'
    ),
    "asterisk.clock": Text(
        "warning",
        "the PBX's clock is {seconds} s {direction} this one",
        "Keep both by NTP, on either machine:  apt-get install chrony",
    ),
    "asterisk.clock_ok": Text("ok", "clocks differ by {ms} ms"),
    "module.ok": Text("ok", "{count} modules that a card needs are loaded"),
    "module.missing": Text(
        "problem",
        "{module} is not loaded: {loss}",
        'load = {module}   in modules.conf; now: asterisk -rx "module load {module}"',
    ),
    "module.wanted": Text(
        "warning",
        "{module} is not loaded: {loss}",
        'load = {module}   in modules.conf; now: asterisk -rx "module load {module}"',
    ),
    "module.unseen": Text(
        "warning",
        "whether {modules} are loaded cannot be seen from here",
        'asterisk -rx "module show like {example}"   must say  1 modules loaded; the same for the others',
    ),
    "pbx.unseen": Text(
        "warning",
        "{user} may not ask what Asterisk, its dialplan and its queues are like, so they were not examined",
        "write = reporting   in [{user}] of {file}; then: " + RELOAD_MANAGER,
    ),
    # --- dialplan
    "dialplan.unseen": Text(
        "warning",
        "the dialplan cannot be seen from here: {why}",
        'asterisk -rx "dialplan show cti-identify"   must show AGI(agi://…/identify?pbx=…)',
    ),
    "dialplan.absent": Text(
        "problem",
        "the dialplan has no context cti-identify, so no call asks who is calling",
        "#include extensions_cti.conf   in extensions.conf (FreePBX, Issabel: extensions_custom.conf); then: "
        + RELOAD_DIALPLAN,
    ),
    "dialplan.no_site": Text(
        "problem",
        "the dialplan has no context cti-site, so cti-identify does not know where the server is",
        "Copy dialplans/cti_site.conf beside extensions_cti.conf; then: " + RELOAD_DIALPLAN,
    ),
    "dialplan.uncalled": Text(
        "problem",
        "nothing in the dialplan calls cti-identify, so no call asks who is calling",
        "same => n,Gosub(cti-identify,s,1)   before Queue() in extensions.conf (FreePBX: a Custom Destination; "
        "docs/install.md shows it); then: " + RELOAD_DIALPLAN,
    ),
    "dialplan.calls": Text("ok", "cti-identify is called from {places}"),
    "dialplan.script": Text(
        "ok",
        "CTI_FASTAGI is empty, so agi-bin/cti_identify.py asks; its first lines say whom, and with which token",
    ),
    "dialplan.port": Text(
        "problem",
        "the dialplan asks {found}; FastAGI of this server is on port {port}",
        "Set(CTI_FASTAGI={right})   in cti_site.conf; then: " + RELOAD_DIALPLAN,
    ),
    "dialplan.host": Text(
        "problem",
        "the dialplan asks {found}, where no FastAGI of this server is",
        "Set(CTI_FASTAGI={right})   in cti_site.conf; then: " + RELOAD_DIALPLAN,
    ),
    "dialplan.address": Text("ok", "it asks {found}, which is this server"),
    "dialplan.address_unsure": Text(
        "warning",
        "the dialplan asks {found}; whether that is this server cannot be seen from here",
        "Set(CTI_FASTAGI={right})   in cti_site.conf, if it is not",
    ),
    "dialplan.pbx": Text(
        "problem",
        "the dialplan calls this PBX {found}; the settings know {known}",
        "Set(CTI_PBX={right})   in cti_site.conf; then: " + RELOAD_DIALPLAN,
    ),
    "line.ok": Text("ok", "{numbers} ask who is calling before they queue"),
    "line.unasked": Text(
        "warning",
        "{number} reaches Queue({queue}) without asking who is calling",
        "same => n,Gosub(cti-identify,s,1)   in [{context}], extension {extension}, before Queue()",
    ),
    "line.absent": Text(
        "warning",
        "no extension of the dialplan is {number}, so its calls cannot be followed from here",
        "exten => {number},1,Gosub(cti-identify,s,1)   in the context of your trunk, then the queue",
    ),
    "line.lost": Text(
        "warning",
        "{number} could not be followed to a queue; it ends at [{context}] {extension}",
        'asterisk -rx "dialplan show {extension}@{context}"',
    ),
    "line.none": Text(
        "warning",
        "the record knows no line, so every caller's number is read as one of {region}",
        "cti-server line add 4008001000 --region {region} --queue support --title 'Service line' "
        "--title-zh 服务热线",
    ),
    # --- the agents' desk
    "desk.ok": Text("ok", "calls can be held, transferred, recorded and dialled from the screen"),
    "desk.contexts": Text(
        "warning",
        "the dialplan has no {contexts}, so these do not work from the screen: {losses}",
        "#include extensions_cti_desk.conf   in extensions.conf, after extensions_cti.conf "
        "(FreePBX, Issabel: extensions_custom.conf); then: " + RELOAD_DIALPLAN,
    ),
    "desk.leg": Text(
        "warning",
        "Queue() in [{context}], extension {extension}, does not prepare its agents' legs: hold and record from "
        "the screen do nothing there",
        "b(cti-leg^s^1)   among the options of that Queue(); then: " + RELOAD_DIALPLAN,
    ),
    "desk.key": Text(
        "problem",
        "{name} of features.conf is {now}; the server presses {key}",
        "#include features_cti.conf   in features.conf (FreePBX, Issabel: its lines of [{section}] in "
        'features_{section}_custom.conf); then: asterisk -rx "module reload features"',
    ),
    "desk.keys_unseen": Text(
        "warning",
        "the keys of features.conf cannot be seen from here",
        'asterisk -rx "features show"   must show cti-hold A and cti-record B; features_cti.conf has them',
    ),
    # --- queues and agents
    "queue.ok": Text("ok", "{count} queues, the same at the PBX and in the record"),
    "queue.unrecorded": Text(
        "warning",
        "the record does not know queue {queue}: it is shown by that name, with the default thresholds",
        "cti-server queue add {queue} --pbx {pbx} --title {queue}",
    ),
    "queue.gone": Text(
        "warning",
        "the PBX has no queue {queue}, which the record has",
        '[{queue}](cti-queue)   in queues_cti.conf; then: asterisk -rx "queue reload all"',
    ),
    "queue.none": Text(
        "problem",
        "the PBX has no queue at all",
        '#include queues_cti.conf   in queues.conf; then: asterisk -rx "queue reload all"',
    ),
    "queue.local": Text(
        "warning",
        "member {member} of queue {queue} names no phone, so its agent is not known",
        "member = {member},0,{name},PJSIP/{extension}   in [{queue}](+) of queues.conf "
        "(FreePBX, Issabel: queues_post_custom.conf)\n"
        'then: asterisk -rx "queue reload members"',
    ),
    "queue.hint": Text(
        "problem",
        "member {member} of queue {queue} names its phone by {hint}, which leads to no phone:"
        " its agent is in no queue for us",
        'asterisk -rx "core show hints"   shows it; else: member = {member},0,{name},PJSIP/{extension}   in '
        "[{queue}](+) of queues_post_custom.conf (the later line counts)",
    ),
    "queue.more": Text("warning", "and {count} more like it"),
    "agent.ok": Text("ok", "{count} agents have a phone that is in a queue"),
    "agent.none": Text(
        "warning",
        "no agent has a phone at this PBX",
        "cti-server user add LOGIN --name NAME --seat PJSIP/1001 --pbx {pbx}",
    ),
    "agent.no_seat": Text(
        "warning", "agent {login} has no phone", "cti-server user set {login} --seat PJSIP/1001"
    ),
    "agent.other_pbx": Text(
        "problem",
        "agent {login} sits at PBX {pbx}, which the settings do not name",
        "cti-server user set {login} --seat {seat} --pbx {right}",
    ),
    "agent.unknown_seat": Text(
        "problem",
        "{seat}, the phone of agent {login}, is not known to the PBX",
        "cti-server user set {login} --seat …\n"
        'asterisk -rx "pjsip show endpoints"   shows the phones that there are',
    ),
    "agent.no_queue": Text(
        "warning",
        "{seat}, the phone of agent {login}, is in no queue",
        "member = {seat},0,{name},{seat}   under its queue in queues.conf\n"
        'then: asterisk -rx "queue reload members"',
    ),
    "agent.unseen": Text(
        "warning",
        "whether the PBX knows the agents' phones cannot be seen from here",
        'asterisk -rx "pjsip show endpoints"',
    ),
}
