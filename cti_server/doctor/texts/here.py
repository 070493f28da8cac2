"""The doctor's texts about this machine: settings, database, the server's own ports."""

from __future__ import annotations

from cti_server.doctor.texts.shape import Text

HERE: dict[str, Text] = {
    # --- settings
    "settings.ok": Text("ok", "{count} CTI_ variables, all known"),
    "settings.unknown": Text("problem", "{what} ({where}) is not a setting", "{remedy}"),
    "settings.line": Text("problem", "{where} sets nothing: {what}", "{remedy}"),
    "settings.shadowed": Text(
        "warning", "{names} is ignored because CTI_PBXS is set", "Put it into CTI_PBXS, or remove CTI_PBXS."
    ),
    "settings.exposed": Text(
        "warning",
        "the desktop is served on {host} without TLS, and its cookie may travel without it",
        "Put a proxy with TLS before it, and set CTI_COOKIE_SECURE=true",
    ),
    # --- SIP passwords
    "sip.ok": Text("ok", "{count} SIP passwords, all encrypted"),
    "sip.no_key": Text(
        "warning",
        "{count} SIP passwords stand in clear in the record, for there is no key",
        "In .env:  CTI_SECRET_KEY=…   as  cti-server key  prints it. Keep a copy beside your backups, and start "
        "the server again.",
    ),
    "sip.in_clear": Text("warning", "{count} SIP passwords stand in clear in the record", "cti-server phone seal"),
    "sip.old_key": Text(
        "warning",
        "{count} SIP passwords are encrypted with an older key",
        "cti-server phone seal   and then take the older key out of CTI_SECRET_KEY",
    ),
    "sip.lost": Text(
        "problem",
        "nobody can sit at {seat}: {why}",
        "{remedy}\ncti-server phone set {seat} --sip-password …   stores it anew",
    ),
    "sip.of_nobody": Text(
        "warning",
        "whoever sits down at {seat}, a browser phone without an owner, is given its password",
        "cti-server phone set {seat} --owner LOGIN   or, if everybody may have it:  --shared",
    ),
    "sip.known": Text(
        "warning",
        "{logins} had the password of {seat}, and is not to use it any more",
        "Change it at the PBX; then:  cti-server phone set {seat} --sip-password …",
    ),
    # --- sign-in through an identity provider
    "provider.ok": Text("ok", "{issuer} answers, and knows {client}"),
    "provider.redirect": Text("ok", "redirect URI for the provider: {uri}   after the sign-out: {after}"),
    "provider.logout": Text("ok", "back-channel logout URI for the provider: {uri}"),
    "provider.down": Text(
        "problem",
        "the identity provider does not answer: {why}",
        "curl -v {url}   from this machine shows why; until then people sign in by password only",
    ),
    "provider.misfit": Text(
        "problem",
        "the identity provider and the settings do not fit: {why}",
        "curl {url}   shows what it says; its issuer belongs into\nIn .env:  CTI_OIDC_ISSUER=…",
    ),
    "provider.client": Text(
        "problem",
        "{why}",
        "In .env:  CTI_OIDC_CLIENT_ID={client} and CTI_OIDC_CLIENT_SECRET=…   as the provider has them",
    ),
    "provider.no_end": Text(
        "warning",
        "{issuer} has no end_session_endpoint: who signs out here stays signed in there",
        "Enable RP-initiated logout at the provider, where it has that.",
    ),
    "provider.no_key": Text(
        "warning",
        "without CTI_SECRET_KEY the provider's ID tokens stand in the record in clear",
        "cti-server key   prints one\nIn .env:  CTI_SECRET_KEY=…",
    ),
    "provider.emergency": Text("ok", "while the provider is down, these sign in by password: {logins}"),
    "provider.no_emergency": Text(
        "warning",
        "CTI_PASSWORD_SIGN_IN is false: while the provider is down nobody can sign in",
        "cti-server user set LOGIN --break-glass",
    ),
    # --- database
    "database.ok": Text("ok", "{url} answers, at revision {revision}"),
    "database.url": Text(
        "problem", "{why}", "In .env:  CTI_DATABASE_URL=sqlite:////the/path/of/it.db   or  postgresql:///cti"
    ),
    "database.absent": Text(
        "problem",
        "{file} does not exist",
        "cti-server migrate   makes it; if yours is elsewhere, name it:\nIn .env:  CTI_DATABASE_URL=…",
    ),
    "database.folder": Text("problem", "{folder} cannot be written by user {user}", "chown {user} {folder}"),
    "database.unreachable": Text(
        "problem",
        "no PostgreSQL answers at {url}: {why}",
        "systemctl start postgresql\nor correct host and port of CTI_DATABASE_URL",
    ),
    "database.password": Text(
        "problem",
        "PostgreSQL refuses the user or password of CTI_DATABASE_URL: {why}",
        "sudo -u postgres psql -c \"ALTER ROLE {user} LOGIN PASSWORD '…'\"   and the same in CTI_DATABASE_URL",
    ),
    "database.no_role": Text(
        "problem", "PostgreSQL does not know this user: {why}", "sudo -u postgres createuser {user}"
    ),
    "database.peer": Text(
        "problem",
        "by its socket PostgreSQL lets in only the user of the same name, and this runs as {me}: {why}",
        "runuser -u {user} -- cti-server doctor\nor, with a password:  CTI_DATABASE_URL=postgresql://{user}:…@127.0.0.1/…",
    ),
    "database.no_such": Text(
        "problem", "PostgreSQL has no database {name}", "sudo -u postgres createdb -O {user} {name}"
    ),
    "database.failed": Text("problem", "{url}: {why}", "Mend what it says, or correct CTI_DATABASE_URL."),
    "database.unwritable": Text("problem", "{url} can be read, and not written: {why}", "{remedy}"),
    "database.empty": Text("problem", "the database is empty", "cti-server migrate"),
    "database.behind": Text(
        "problem", "the database is at revision {now}; this server needs {head}", "cti-server migrate"
    ),
    "database.newer": Text(
        "problem",
        "the database is at revision {now}, which this version does not know",
        "Install the cti-server that wrote it, or a newer one.",
    ),
    "database.sqlite": Text(
        "warning",
        "SQLite {version} can corrupt its write-ahead log under load; {safe} and newer do not",
        "cti-server move --to postgresql:///cti   docs/operations.md has the lines before and after it",
    ),
    # --- ports of our own
    "port.free": Text("ok", "{host}:{port} is free"),
    "port.any": Text("ok", "any free port of {host}"),
    "port.ours": Text("ok", "{host}:{port}: a cti-server is running"),
    "port.taken": Text(
        "problem",
        "{host}:{port} is taken by another program, or by a cti-server that does not answer",
        "ss -ltnp 'sport = :{port}'   shows which; stop it, or set {variable} to a free port",
    ),
    "port.host": Text("problem", "{host} is no address of this machine: {why}", "Correct {variable}."),
    "port.denied": Text(
        "problem", "user {user} may not listen on port {port}: {why}", "Set {variable} to a port over 1023."
    ),
    "server.not_ready": Text(
        "warning", "the running server is not ready: {why}", "curl -s http://{host}:{port}/readyz"
    ),
    "fastagi.elsewhere": Text(
        "problem",
        "a cti-server is running, but not with these settings: nothing listens on {host}:{port}",
        "Start it again, so that it reads them.",
    ),
    "fastagi.asked": Text("ok", "the running server has answered the dialplan {count} times ({statuses})"),
    "fastagi.never_asked": Text(
        "warning",
        "no call has asked the running server who is calling since it started",
        "Call one of your lines, and look again.\n"
        "same => n,GosubIf($[${{DIALPLAN_EXISTS(cti-identify,s,1)}}]?cti-identify,s,1)   is what the dialplan "
        "needs "
        "before Queue()",
    ),
    "fastagi.none_asked": Text(
        "problem",
        "callers seen in a queue: {count}, and none of them asked who is calling: the dialplan does not ask, or "
        "its question is dropped on the way",
        "same => n,GosubIf($[${{DIALPLAN_EXISTS(cti-identify,s,1)}}]?cti-identify,s,1)   before Queue(); FreePBX: "
        "the route leads to a Custom Destination cti-freepbx,s,1\n"
        "{way}",
    ),
    "fastagi.down": Text(
        "problem",
        "{down} of {all} calls of this moment asked who is calling, and no answer came (CTI_STATUS=down)",
        "{way}",
    ),
    "fastagi.closed": Text("warning", "the running server has closed FastAGI connections: {causes}"),
    "fastagi.refused": Text(
        "warning",
        "the running server has refused questions that are not what the PBX's manager says of the call: {rules}",
        "unknown_channel, other_number, other_secret: a program that is no PBX asks, or CTI_AMI_HOST is another "
        "PBX than the one that asks. Permit only the PBX, by CTI_FASTAGI_ALLOW, and set CTI_FASTAGI_TOKEN.\n"
        "unknown_pbx: CTI_PBX in cti_site.conf is to be a name in CTI_PBXS.",
    ),
    "fastagi.allow_bad": Text(
        "problem",
        "CTI_FASTAGI_ALLOW: {network} is no network",
        "In .env:  CTI_FASTAGI_ALLOW=127.0.0.0/8,{example}",
    ),
    "fastagi.not_allowed": Text(
        "problem",
        "the PBX at {address} is not in CTI_FASTAGI_ALLOW, so its calls are turned away",
        "In .env:  CTI_FASTAGI_ALLOW={networks}",
    ),
    "fastagi.loopback": Text(
        "problem",
        "FastAGI listens on {host} only, which the PBX at {address} cannot reach",
        "In .env:  CTI_FASTAGI_HOST={local}",
    ),
    "fastagi.allowed": Text("ok", "the PBX at {address} may ask"),
}
