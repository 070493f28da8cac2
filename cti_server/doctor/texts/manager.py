"""The doctor's texts about a PBX's manager: reaching it, and its users."""

from __future__ import annotations

from cti_server.doctor.texts.shape import RELOAD_MANAGER, Text

MANAGER: dict[str, Text] = {
    # --- reaching the manager
    "ami.ok": Text("ok", "{host}:{port} speaks AMI {version}{tls}; signed in as {user}"),
    "ami.unknown_host": Text("problem", "the name {host} cannot be resolved: {why}", "Correct {variable}."),
    "ami.refused": Text(
        "problem",
        "{host}:{port} refuses connections: Asterisk does not run, or its manager does not listen there",
        "[general] of manager.conf:  enabled = yes   port = {port}   bindaddr = {bind}     then: "
        + RELOAD_MANAGER
        + "\nor correct {variable}",
    ),
    "ami.timeout": Text(
        "problem",
        "{host}:{port} does not answer: {why}",
        "Open the port in the firewall between, or in [general] of manager.conf:  bindaddr = {bind}\n"
        "nc -vz {host} {port}   tells when it is open",
    ),
    "ami.not_ami": Text(
        "problem",
        "{host}:{port} is not a manager port: it says {said}",
        "Correct {variable}; Asterisk's default is 5038.",
    ),
    "ami.silent": Text(
        "problem",
        "{host}:{port} accepts the connection and says nothing",
        "Correct {variable}; Asterisk's default is 5038.",
    ),
    "ami.closed": Text(
        "problem",
        "{host}:{port} closes the connection before it says a word",
        "Too many connections that are not logged in also do this:  authlimit in [general] of manager.conf",
    ),
    "ami.plain_here": Text("problem", "{host}:{port} speaks TLS, and the settings say it does not", "{tls_on}"),
    "ami.tls_here": Text(
        "problem",
        "{host}:{port} speaks plain AMI, and the settings say TLS",
        "{tls_off}\nor tlsenable = yes in [general] of manager.conf, and {variable} 5039",
    ),
    "ami.tls_failed": Text(
        "problem", "no TLS with {host}:{port}: {why}", "tlscertfile and tlsprivatekey in [general] of manager.conf"
    ),
    "ami.untrusted": Text(
        "problem",
        "the certificate of {host}:{port} is not trusted: {why}",
        "Copy the certificate (tlscertfile of manager.conf, without its key) here\n{ca_line}",
    ),
    "ami.wrong_name": Text(
        "problem",
        "the certificate of {host}:{port} is for another name: {why}",
        "Set {host_variable} to a name in the certificate, or make one with subjectAltName = {alternative}:{host}",
    ),
    "ami.ca": Text(
        "problem", "{file}: {why}", "{ca_variable} names a file of PEM certificates that this user can read."
    ),
    "ami.lost": Text(
        "problem", "{host}:{port}: {why}", 'Look at Asterisk\'s log:  asterisk -rx "core show uptime"'
    ),
    "ami.plain_far": Text(
        "warning",
        "the manager at {address} is reached without TLS: whoever is between reads every call",
        "In [general] of manager.conf:  tlsenable = yes   tlsbindaddr = {address}:5039   tlscertfile = …\n"
        "{tls_on}",
    ),
    # --- accounts
    "account.no_secret": Text(
        "problem", "{variable} is not set", "{line}   the same as secret in [{user}] of {file}"
    ),
    "account.default_secret": Text(
        "problem",
        "the secret of {user} is the one that everybody has",
        "secret = {fresh}   in [{user}] of {file}, and the same in {variable}; then: " + RELOAD_MANAGER,
    ),
    "account.absent": Text(
        "warning",
        "no user for the role {role}: {loss}",
        "{line}   the secret of [{user}] of {file}",
    ),
    "account.optional": Text("ok", "no user for the role {role}: desk phones are answered at the phone"),
    "account.refused": Text(
        "problem",
        "Asterisk refuses {user}: {why}",
        "In [{user}] of {file}:  secret = the value of {variable}   permit = {local}/255.255.255.255\n"
        "then: " + RELOAD_MANAGER + '   asterisk -rx "manager show user {user}" shows whether it is there',
    ),
    "account.ok": Text("ok", "{user} may do what its role needs: {needs}"),
    "account.missing": Text(
        "problem",
        "{user} lacks write={permission}: it may not {actions}",
        "write = {line}   in [{user}] of {file}; then: " + RELOAD_MANAGER,
    ),
    "account.no_action": Text(
        "problem",
        "Asterisk has no action {actions}, which {user} needs",
        'load = {module}   in modules.conf; now: asterisk -rx "module load {module}"',
    ),
    "account.dangerous": Text(
        "problem",
        "{user} has write={permission}, which {why}",
        "write = {line}   in [{user}] of {file}; then: " + RELOAD_MANAGER,
    ),
    "account.more": Text(
        "warning",
        "{user} has more than its role needs: write={permissions}",
        "write = {line}   in [{user}] of {file}; then: " + RELOAD_MANAGER,
    ),
    "account.shared": Text(
        "warning", "the roles {roles} share the user {user}", "One user a role, as in manager_cti.conf."
    ),
    "events.unread": Text(
        "problem",
        "{user} lacks read={permissions}: {loss}",
        "read = {line}   in [{user}] of {file}; then: " + RELOAD_MANAGER,
    ),
    "events.not_booted": Text(
        "problem",
        "{user} is not told FullyBooted: it lacks read=system, or Asterisk is still starting",
        "read = system,call,agent,user   in [{user}] of {file}; then: " + RELOAD_MANAGER,
    ),
    "events.unseen": Text(
        "warning",
        "which events {user} may read besides system cannot be seen from here",
        'asterisk -rx "manager show user {user}"   must say  read perm: system,call,agent,user',
    ),
    "events.flood": Text(
        "warning",
        "{user} is sent events that nobody uses: read={permissions}",
        "read = system,call,agent,user   in [{user}] of {file}; then: " + RELOAD_MANAGER,
    ),
    "events.filtered": Text(
        "warning",
        "{user} has eventfilter = {filter}: calls of which an event is hidden are shown wrong, or not at all",
        "Remove eventfilter from [{user}] of {file}; then: " + RELOAD_MANAGER,
    ),
    "events.ok": Text("ok", "{user} reads {permissions}"),
    "events.timestamps": Text(
        "warning",
        "events carry no time, so times are those of arrival",
        "timestampevents = yes   in [general] of manager.conf (FreePBX, Issabel: [general](+) of "
        "manager_custom.conf); then: " + RELOAD_MANAGER,
    ),
    "events.timestamps_unseen": Text(
        "warning",
        "whether events carry their time cannot be seen from here",
        'asterisk -rx "manager show settings"   must say  Timestamp events: Yes',
    ),
    "events.writetimeout": Text(
        "warning",
        "writetimeout of {user} is {now} ms: a server that pauses for a moment in a flood is cut off",
        "writetimeout = 5000   in [{user}] of {file}; then: " + RELOAD_MANAGER,
    ),
    # --- what a secret reads beyond its job
    "secrets.ok": Text("ok", "no secret of ours reads a file or a password of the PBX"),
    "secrets.read": Text(
        "warning",
        "whoever has the secret of {users} reads by {function}(), with Getvar, {what}",
        "noload = {module}   in modules.conf, for the dialplan does not use {function}(); now: "
        'asterisk -rx "module unload {module}"',
    ),
    "secrets.used": Text(
        "warning",
        "whoever has the secret of {users} reads by {function}(), with Getvar, {what}; the dialplan uses it, too: "
        "{places}",
        "Let these do without it, then  noload = {module}   in modules.conf. Until then permit only this server's "
        "address, in manager_cti.conf, and use TLS between two machines",
    ),
    "secrets.unseen": Text(
        "warning",
        "whether a secret of ours reads files of the PBX cannot be seen without func_module",
        'asterisk -rx "module show like func_"   must not show {modules}',
    ),
}
