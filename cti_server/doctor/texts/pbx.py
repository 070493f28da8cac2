"""The doctor's texts about a PBX behind its manager: Asterisk, desk, rooms, queues, agents, browser phones."""

from __future__ import annotations

from cti_server.doctor.texts.shape import RELOAD_DIALPLAN, RELOAD_MANAGER, Text

#: where FreePBX has the settings of http.conf, which it writes anew
MINI_HTTP = (
    "\nFreePBX, Issabel: Settings, Advanced Settings, Asterisk Builtin mini-HTTP server, instead of http.conf"
)

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
    # --- the fence of the dial policy
    "fence.ok": Text(
        "ok", "numbers outside pass the fence of the dial policy ({strictness}); it is asked in {asking}"
    ),
    "fence.missing": Text(
        "warning",
        "the PBX itself refuses no number: whoever has a phone's password, or a secret of cti-originate, dials "
        "what the dial policy refuses",
        "cti-server dialling fence{named} /etc/asterisk/extensions_cti_fence.conf\n#tryinclude "
        "extensions_cti_fence.conf   in extensions.conf (FreePBX, Issabel: extensions_custom.conf); then: "
        + RELOAD_DIALPLAN,
    ),
    "fence.old": Text(
        "warning",
        "the fence in the PBX ({found}) is older than the dial policy, the lines or this server",
        "cti-server dialling fence{named}{anybody} /etc/asterisk/extensions_cti_fence.conf; then: "
        + RELOAD_DIALPLAN,
    ),
    "fence.unasked": Text(
        "warning",
        "the PBX has the fence of the dial policy, and nothing asks it before it dials",
        "Copy the newer extensions_cti_desk.conf over yours, and ask it in your outbound routes, as "
        "docs/dialling.md says; then: " + RELOAD_DIALPLAN,
    ),
    # --- the agents' desk
    "desk.ok": Text("ok", "calls can be held, transferred, recorded and dialled from the screen"),
    "desk.contexts": Text(
        "warning",
        "the dialplan has no {contexts}, so these do not work from the screen: {losses}",
        "{lines}   in extensions.conf (FreePBX, Issabel: extensions_custom.conf); then: " + RELOAD_DIALPLAN,
    ),
    "desk.leg": Text(
        "warning",
        "Queue() in [{context}], extension {extension}, does not prepare its agents' legs: hold and record from "
        "the screen do nothing there",
        "{line}   in [{context}], in place of that Queue(); then: " + RELOAD_DIALPLAN,
    ),
    "desk.heir": Text(
        "warning",
        "[{context}], extension {extension}, asks who is calling, and leaves the phones that a queue of FreePBX "
        "rings nothing to inherit: hold and record from the screen do nothing there",
        " same => n,GosubIf($[${{DIALPLAN_EXISTS(cti-inherit,s,1)}}]?cti-inherit,s,1)   in [{context}], extension "
        "{extension}, of extensions_custom.conf, after the step that asks; then: " + RELOAD_DIALPLAN,
    ),
    "desk.heir_screen": Text(
        "warning",
        "[{context}], extension {extension}, asks who is calling, and leaves the phones that a queue of FreePBX "
        "rings nothing to inherit: hold and record from the screen do nothing there",
        "Admin, Custom Destinations: target cti-freepbx,s,1, Return: Yes, Apply Config",
    ),
    "desk.key": Text(
        "problem",
        "{name} of features.conf is {now}; the server presses {key}",
        "#tryinclude features_cti.conf   in features.conf (FreePBX, Issabel: its lines of [{section}] in "
        'features_{section}_custom.conf); then: asterisk -rx "module reload features"',
    ),
    "desk.keys_unseen": Text(
        "warning",
        "the keys of {names} cannot be seen from here",
        'asterisk -rx "features show"   must show cti-hold A and cti-record B; features_cti.conf has them',
    ),
    # --- conference rooms
    "room.ok": Text("ok", "calls can be turned into conferences"),
    "room.no_module": Text(
        "problem",
        "app_confbridge.so is not loaded: whoever is added to a call would be cut off with everybody in it",
        'load = app_confbridge.so   in modules.conf; now: asterisk -rx "module load app_confbridge.so"',
    ),
    "room.by_profile": Text(
        "problem",
        "cti-room is that of an older extensions_cti_desk.conf: where confbridge.conf lacks its profiles, a "
        "conference from the screen cuts the caller off",
        "Copy the newer extensions_cti_desk.conf over it; then: " + RELOAD_DIALPLAN,
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
        "the PBX has no queue {queue}, which the record has: nobody can wait in it",
        '[{queue}]   in queues.conf, with its members; then: asterisk -rx "queue reload all"\n'
        "or, if it is gone for good:  cti-server queue remove {queue} --pbx {pbx}",
    ),
    "queue.gone_freepbx": Text(
        "warning",
        "the PBX has no queue {queue}, which the record has: nobody can wait in it",
        "Applications, Queues, Add Queue, with {queue} as its number; Apply Config writes [{queue}] to "
        "queues_additional.conf\n"
        "or, if it is gone for good:  cti-server queue remove {queue} --pbx {pbx}",
    ),
    "queue.by_number": Text(
        "warning",
        "the record calls a queue {queue}; on FreePBX the name of a queue is its number",
        "cti-server queue add {number} --pbx {pbx} --title {queue}\ncti-server queue remove {queue} --pbx {pbx}",
    ),
    "queue.misnamed": Text(
        "warning",
        "the record calls a queue {queue}, the PBX has {near}: names count letter by letter",
        "cti-server queue add {near} --pbx {pbx} --title {near}\ncti-server queue remove {queue} --pbx {pbx}",
    ),
    "queue.named": Text(
        "problem",
        "{place} puts callers into the queue {queue}, which the PBX does not have: they go on to the next step",
        'Queue({near},…)   there, or [{queue}] in queues.conf; then: asterisk -rx "queue reload all"',
    ),
    "queue.named_freepbx": Text(
        "problem",
        "{place} puts callers into the queue {queue}, which the PBX does not have: they go on to the next step",
        "Queue({near},…)   there, in extensions_custom.conf, or Applications, Queues, Add Queue, with {queue} as "
        "its number; Apply Config",
    ),
    "queue.none": Text(
        "problem",
        "the PBX has no queue at all",
        '[support]   in queues.conf, with its members; then: asterisk -rx "queue reload all"',
    ),
    "queue.none_freepbx": Text(
        "problem",
        "the PBX has no queue at all",
        "Applications, Queues, Add Queue; Apply Config writes it to queues_additional.conf",
    ),
    "queue.paused_elsewhere": Text(
        "warning",
        "member {member} of queue {queue} is paused as a cti-server does it ({reason}), and by this database "
        "nobody "
        "is at work there: another server with another database works on this PBX, or one has left it so",
        'asterisk -rx "queue unpause member {member} queue {queue}"\n'
        'asterisk -rx "manager show connected"   lists cti- users from another address, if there is another '
        "server: "
        "stop it, or give both the same CTI_DATABASE_URL",
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
    "more": Text("warning", "and {count} more like it"),
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
    "agent.no_queue_freepbx": Text(
        "warning",
        "{seat}, the phone of agent {login}, is in no queue",
        "Applications, Queues: the queue, Queue Agents, Static Agents: {endpoint}; Apply Config",
    ),
    "agent.unseen": Text(
        "warning",
        "whether the PBX knows the agents' phones cannot be seen from here",
        'asterisk -rx "pjsip show endpoints"',
    ),
    "agent.off": Text(
        "warning",
        "{seat}, the phone of agent {login}, is off: no call rings there",
        "Switch it on, and see that it registers as {endpoint}:  "
        'asterisk -rx "pjsip show endpoint {endpoint}"   must show a Contact',
    ),
    # --- browser phones
    "browser.ok": Text("ok", "{count} browser phones, by {url}"),
    "browser.no_url": Text(
        "problem",
        "there are browser phones, and no address at which a browser finds Asterisk",
        "In .env:  CTI_SOFTPHONE_URL=wss://{host}:8089/ws   (a name that is in the certificate), and start the "
        "server "
        "again",
    ),
    "browser.plain": Text(
        "problem",
        "{url} is not encrypted: a page that came by https opens only wss, and one that did not gets no "
        "microphone",
        "In .env:  CTI_SOFTPHONE_URL=wss://{host}:8089/ws   and in [general] of http.conf:  tlsenable = yes   "
        "tlsbindaddr = 0.0.0.0:8089   tlscertfile = …" + MINI_HTTP,
    ),
    "browser.no_http": Text(
        "problem",
        "nothing answers at {url}: {why}",
        "In [general] of http.conf:  enabled = yes   bindaddr = {host}   bindport = {port}; then: "
        'asterisk -rx "module reload http"' + MINI_HTTP,
    ),
    "browser.no_https": Text(
        "problem",
        "nothing answers at {url}: {why}",
        "In [general] of http.conf:  enabled = yes   tlsenable = yes   tlsbindaddr = 0.0.0.0:{port}   "
        "tlscertfile = …; "
        'then: asterisk -rx "module reload http"' + MINI_HTTP,
    ),
    "browser.no_tls": Text(
        "problem",
        "{url} speaks no TLS: {why}",
        "In [general] of http.conf:  tlsenable = yes   tlsbindaddr = 0.0.0.0:{port}   tlscertfile = …; "
        'then: asterisk -rx "module reload http"' + MINI_HTTP,
    ),
    "browser.untrusted": Text(
        "problem",
        "the certificate of {url} is not trusted, and a browser refuses it without a word: {why}",
        "In [general] of http.conf:  tlscertfile = a certificate for {host} that the browsers trust, with its "
        "chain" + MINI_HTTP,
    ),
    "browser.no_sip": Text(
        "problem",
        "{url} is no websocket for SIP: {why}",
        "Asterisk's ends in /ws; it needs res_http_websocket.so and res_pjsip_transport_websocket.so:  "
        'asterisk -rx "http show status"   must show /ws',
    ),
    "browser.not_pjsip": Text(
        "problem",
        "browser phone {seat} is no PJSIP phone, which browsers need",
        "cti-server phone add PJSIP/{extension} --kind browser",
    ),
    "browser.unknown": Text(
        "problem",
        "{seat}, a browser phone, is not known to the PBX",
        "[{endpoint}]   in pjsip.conf, as pjsip_cti.conf has it for 1101 (FreePBX, Issabel: an extension of that "
        'number); then: asterisk -rx "pjsip reload"',
    ),
    "browser.no_webrtc": Text(
        "problem",
        "{seat}, a browser phone, is not made for browsers: each call to it fails",
        "webrtc = yes   in [{endpoint}], type = endpoint, of pjsip.conf (FreePBX, Issabel: "
        'pjsip.endpoint_custom_post.conf); then: asterisk -rx "pjsip reload"',
    ),
    "browser.no_codec": Text(
        "problem",
        "{seat}, a browser phone, allows {allow}: no codec that browsers speak",
        "allow = !all,opus,ulaw,alaw   in [{endpoint}], type = endpoint, of pjsip.conf (FreePBX, Issabel: "
        'pjsip.endpoint_custom_post.conf); then: asterisk -rx "pjsip reload"',
    ),
    "browser.unseen": Text(
        "warning",
        "whether {seat} is made for browsers cannot be seen from here",
        'asterisk -rx "pjsip show endpoint {endpoint}"   must say  webrtc : yes   and allow opus, ulaw, alaw or '
        "g722",
    ),
}
