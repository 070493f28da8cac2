"""The doctor's texts about the dialplan: what it asks and calls, where lines lead, what cti_site.conf says."""

from __future__ import annotations

from cti_server.doctor.texts.shape import RELOAD_DIALPLAN, Text

#: asks who is calling, and harms nobody where cti-identify is not there; doubled braces, for `format`
ASK = "GosubIf($[${{DIALPLAN_EXISTS(cti-identify,s,1)}}]?cti-identify,s,1)"
#: FreePBX: how a line comes to ask, what a Custom Destination may lead to, and what is there by docs/install.md
FREEPBX_ROUTE = (
    "Admin, Custom Destinations, Add: target cti-freepbx,s,1, Return: Yes, destination: where {number} leads now\n"
    "Connectivity, Inbound Routes, {number}: point it there, Apply Config"
)
FREEPBX_TARGET = "Admin, Custom Destinations: target {context},s,1, Apply Config"
FREEPBX_CONTEXT = """[cti-freepbx]
exten => s,1,GosubIf($[${DIALPLAN_EXISTS(cti-identify,s,1)}]?cti-identify,s,1)
 same => n,GosubIf($[${DIALPLAN_EXISTS(cti-inherit,s,1)}]?cti-inherit,s,1)
 same => n,ExecIf($["${CTI_PRIORITY}" != ""]?Set(QUEUE_PRIO=${CTI_PRIORITY}))
 same => n,Return()   in extensions_custom.conf"""
SITE = "   in cti_site.conf; then: " + RELOAD_DIALPLAN
#: what is asked instead may be another server of the same record, which is not to be taken out
BESIDE = "\nIf {found} is another server of the same record, leave it, and:  Set(CTI_FASTAGI_2={right})"

DIALPLAN: dict[str, Text] = {
    "dialplan.unseen": Text(
        "warning",
        "the dialplan cannot be seen from here: {why}",
        'asterisk -rx "dialplan show cti-identify"   must show AGI(agi://…/identify?pbx=…)',
    ),
    "dialplan.absent": Text(
        "problem",
        "the dialplan has no context cti-identify, so no call asks who is calling",
        "#tryinclude extensions_cti.conf   in extensions.conf (FreePBX, Issabel: extensions_custom.conf); then: "
        + RELOAD_DIALPLAN,
    ),
    "dialplan.no_site": Text(
        "problem",
        "the dialplan has no context cti-site, so cti-identify asks 127.0.0.1:4573 and dials out through no trunk",
        "Copy dialplans/cti_site.conf beside extensions_cti.conf; then: " + RELOAD_DIALPLAN,
    ),
    "dialplan.uncalled": Text(
        "problem",
        "nothing in the dialplan calls cti-identify, so no call asks who is calling",
        f"same => n,{ASK}   before Queue() in extensions.conf (FreePBX: a Custom Destination; "
        "docs/install.md shows it); then: " + RELOAD_DIALPLAN,
    ),
    "dialplan.too_late": Text(
        "problem",
        "[{context}], extension {extension}, asks who is calling after Queue({queue}): by then an agent has "
        "answered "
        "without a card",
        "{lines}; then: " + RELOAD_DIALPLAN,
    ),
    "dialplan.dead": Text(
        "warning",
        "[{context}], extension {extension}, asks who is calling, and nothing that can be seen leads there",
        "same => n,Goto({context},{extension},1)   where your calls come in, or  context = {context}   in the "
        "endpoint "
        "of your trunk in pjsip.conf; then: " + RELOAD_DIALPLAN,
    ),
    "dialplan.dead_freepbx": Text(
        "warning",
        "[{context}], extension {extension}, asks who is calling, and nothing that can be seen leads there",
        "Admin, Custom Destinations, Add: target {context},{extension},1, Return: Yes, destination: your queue\n"
        "Connectivity, Inbound Routes: point the route at it, Apply Config",
    ),
    "dialplan.calls": Text("ok", "cti-identify is called from {places}"),
    "dialplan.script": Text(
        "ok",
        "CTI_FASTAGI is empty, so agi-bin/cti_identify.py asks; its first lines say whom, and with which token",
    ),
    "dialplan.token": Text(
        "problem",
        "the dialplan's questions do not show the token that CTI_FASTAGI_TOKEN asks for, and are refused",
        "Set(CTI_TOKEN=…)   with the value of CTI_FASTAGI_TOKEN" + SITE,
    ),
    "dialplan.token_old": Text(
        "problem",
        "CTI_FASTAGI_TOKEN asks for a token that this extensions_cti.conf cannot show: its questions are refused",
        "Copy dialplans/extensions_cti.conf of this version; then: " + RELOAD_DIALPLAN,
    ),
    "dialplan.port": Text(
        "problem",
        "the dialplan asks {found}; FastAGI of this server is on port {port}",
        "Set(CTI_FASTAGI={right})" + SITE + BESIDE,
    ),
    "dialplan.host": Text(
        "problem",
        "the dialplan asks {found}, where no FastAGI of this server is",
        "Set(CTI_FASTAGI={right})" + SITE + BESIDE,
    ),
    "dialplan.address": Text("ok", "it asks {found}, which is this server"),
    "dialplan.address_unsure": Text(
        "warning",
        "the dialplan asks {found}; whether that is this server cannot be seen from here",
        "Set(CTI_FASTAGI={right})   in cti_site.conf, if it is not",
    ),
    "dialplan.second": Text("ok", "it asks {first} first and then {second}, both within CTI_DEADLINE"),
    "dialplan.second_old": Text(
        "problem",
        "cti_site.conf names a second server, {found}, and this extensions_cti.conf cannot ask it",
        "Copy dialplans/extensions_cti.conf of this version; then: " + RELOAD_DIALPLAN,
    ),
    "dialplan.second_same": Text(
        "warning",
        "CTI_FASTAGI_2 is the server of CTI_FASTAGI, {found}: where that is silent, callers wait for it twice",
        "Set(CTI_FASTAGI_2=)   or the address of another server of the same record" + SITE,
    ),
    "dialplan.second_share": Text(
        "problem",
        "of the {found} s of CTI_DEADLINE the first server has half, {share} s, and may take {needs} s "
        "(CTI_LOOKUP_DEADLINE_MS): it is given up while it answers",
        "Set(CTI_DEADLINE=1)" + SITE,
    ),
    "dialplan.unreadable": Text(
        "problem",
        "extensions.conf cannot be read as it stands: the dialplan runs from memory, and is gone after the next "
        "restart",
        "{remedy}; then: "
        + RELOAD_DIALPLAN
        + '\nAsterisk\'s log says which file is missing: "was listed as a #include but it does not exist"',
    ),
    # --- what it calls
    "called.missing": Text(
        "problem",
        "[{context}], extension {extension}, priority {priority}: {application} leads to {what}, which is not "
        "there, and "
        "cuts the caller off",
        "{remedy}; then: " + RELOAD_DIALPLAN,
    ),
    # FreePBX includes extensions_custom.conf, and an included file that itself has a wrong #include is left out by
    # Asterisk, which reads the rest as if nothing were wrong (measured on 22.10).
    "called.missing_freepbx": Text(
        "problem",
        "[{context}], extension {extension}, priority {priority}: {application} leads to {what}, which is not "
        "there, and "
        "cuts the caller off",
        "{remedy}; then: "
        + RELOAD_DIALPLAN
        + "\nIf it is there already, an #include in extensions_custom.conf names a file that is not there, and "
        "Asterisk leaves out all of extensions_custom.conf: write #tryinclude; its log says which",
    ),
    "called.skipped": Text(
        "warning",
        "[{context}], extension {extension}, priority {priority}, leaves {what} out, which is not there",
        "{remedy}; then: " + RELOAD_DIALPLAN,
    ),
    "called.unsafe": Text(
        "warning",
        "[{context}], extension {extension}, priority {priority}, calls {what} without looking whether it is "
        "there: on "
        "the day that {file} is not loaded, this cuts the caller off",
        "{line}   in [{context}], extension {extension}, in place of priority {priority}; then: "
        + RELOAD_DIALPLAN,
    ),
    "called.never": Text(
        "problem",
        "[{context}], extension {extension}, priority {priority}, looks for {found}, which is not there, and so "
        "never calls {what}",
        "{line}   in [{context}], extension {extension}, in place of priority {priority}; then: "
        + RELOAD_DIALPLAN,
    ),
    "called.unsafe_freepbx": Text(
        "warning",
        "[{context}], extension {extension}, priority {priority}, calls {what} without looking whether it is "
        "there: on "
        "the day that {file} is not loaded, this cuts the caller off",
        "Admin, Custom Destinations: target cti-freepbx,s,1, Return: Yes, Apply Config; cti-freepbx looks first",
    ),
    # --- lines
    "line.ok": Text("ok", "{numbers} ask who is calling before they queue"),
    "line.unasked": Text(
        "warning",
        "{number} reaches Queue({queue}) without asking who is calling",
        "{lines}; then: " + RELOAD_DIALPLAN,
    ),
    "line.unasked_freepbx": Text(
        "warning",
        "{number} reaches Queue({queue}) of [{context}] without asking who is calling",
        FREEPBX_ROUTE,
    ),
    "line.rings": Text(
        "warning",
        "{number} rings phones by Dial() in [{context}], extension {extension}, and in no queue that was found; "
        "nobody is asked who is calling",
        "{lines}; then: " + RELOAD_DIALPLAN,
    ),
    "line.rings_freepbx": Text(
        "warning",
        "{number} rings phones by [{context}], extension {extension}, and in no queue that was found; nobody is "
        "asked who is calling",
        FREEPBX_ROUTE,
    ),
    "line.broken_freepbx": Text(
        "problem",
        "{number} comes to [{context}], extension {extension}, priority {priority}, which leads to {to}: that "
        "is not there, and cuts the caller off",
        'asterisk -rx "dialplan show {extension}@{context}"   shows the step; add what it leads to in '
        "extensions_custom.conf, or choose another destination on the screens, Apply Config",
    ),
    "line.broken": Text(
        "problem",
        "{number} comes to [{context}], extension {extension}, priority {priority}, which leads to {to}: that "
        "is not "
        "there, and cuts the caller off",
        'asterisk -rx "dialplan show {extension}@{context}"   shows the step; correct it, or add what it leads to',
    ),
    "line.absent": Text(
        "warning",
        "no extension of the dialplan is {number}, so its calls cannot be followed from here",
        f"exten => {{number}},1,{ASK}   in the context of your trunk, then the queue",
    ),
    "line.absent_freepbx": Text(
        "warning",
        "no extension of the dialplan is {number}, so its calls cannot be followed from here",
        "Connectivity, Inbound Routes, Add: DID Number {number}, as the provider sends it, Apply Config\n"
        "or, if it is gone for good:  cti-server line remove {number}",
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
    # --- cti_site.conf
    "site.ok": Text("ok", "its names, places and numbers are those of this PBX"),
    "site.pbx": Text(
        "problem",
        "CTI_PBX is {found}; the settings know {known}: who is calling is told of a PBX that is not this one",
        "Set(CTI_PBX={right})" + SITE + "{also}",
    ),
    "site.trunk": Text(
        "problem",
        "CTI_TRUNK is {found}, which is no PJSIP endpoint: every number dialled from the screen fails",
        "Set(CTI_TRUNK=…)   with the name of your trunk's endpoint" + SITE + "\n"
        'asterisk -rx "pjsip show endpoints"   lists them; or  Set(CTI_VIA=from-internal)   dials as your '
        "phones do",
    ),
    "site.trunk_away": Text(
        "warning",
        "CTI_TRUNK {found} is not reached by Asterisk: numbers dialled from the screen fail",
        'asterisk -rx "pjsip show endpoint {found}"   shows its Contact and its state; correct it in pjsip.conf '
        "(FreePBX, Issabel: Connectivity, Trunks)",
    ),
    "site.trunk_unseen": Text(
        "warning",
        "whether CTI_TRUNK {found} is there cannot be seen from here",
        'asterisk -rx "pjsip show endpoint {found}"',
    ),
    "site.context": Text(
        "problem",
        "{name} is {found}, a context that is not there: {loss}",
        "Set({name}={right})   or the name of the context in which your phones dial" + SITE,
    ),
    "site.inside_wrong": Text(
        "problem",
        "CTI_INSIDE is {found}, which Asterisk cannot read as a regular expression: phones are dialled by the "
        "trunk",
        "Set(CTI_INSIDE={right})" + SITE,
    ),
    "site.inside_none": Text(
        "problem",
        "CTI_INSIDE is {found}, which fits no agent's phone, {number} for one: colleagues are dialled by the "
        "trunk, "
        "and no phone has an agent's keys",
        "Set(CTI_INSIDE={right})   and whatever other phones you have" + SITE,
    ),
    "site.inside_some": Text(
        "warning",
        "CTI_INSIDE is {found}, which does not fit {number}, the phone of agent {login}: so it is with {count} "
        "of {all}",
        "Set(CTI_INSIDE={right})   and whatever other phones you have" + SITE,
    ),
    "site.inside_emergency": Text(
        "warning",
        "CTI_INSIDE ({found}) takes {number} for a phone of this PBX: nobody reaches the emergency service from "
        "the screen",
        "Set(CTI_INSIDE={right})   in cti_site.conf; or make the fence, which keeps such numbers apart: "
        "cti-server dialling fence /etc/asterisk/extensions_cti_fence.conf; then: " + RELOAD_DIALPLAN,
    ),
    "site.inside_wide": Text(
        "warning",
        "CTI_INSIDE is {found}, which fits {number}, too: outside numbers are dialled as phones of this PBX",
        "Set(CTI_INSIDE={right})   and whatever other phones you have" + SITE,
    ),
    "site.number": Text(
        "problem",
        "CTI_NUMBER is {found}, which is no number: trunks refuse calls that show it",
        "Set(CTI_NUMBER=)   or a number of yours, digits only" + SITE,
    ),
    "site.nobody": Text(
        "problem",
        "CTI_NOBODY is {found}, a place that is not there: a caller whom nobody takes is cut off",
        "Set(CTI_NOBODY=)   or context,extension,priority of a place that is there" + SITE,
    ),
    "site.private": Text(
        "problem",
        "CTI_PRIVATE is {found}; it is masked, withheld or empty",
        "Set(CTI_PRIVATE=masked)" + SITE,
    ),
    "site.seconds": Text(
        "problem",
        "{name} is {found}, which is no number of seconds",
        "Set({name}=1)   for CTI_DEADLINE, 20 for CTI_RING" + SITE,
    ),
}
