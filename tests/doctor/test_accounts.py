"""Which permissions a ListCommands answer proves. The answers are an Asterisk 22's, shortened."""

from __future__ import annotations

from cti_server.doctor.manager.accounts import privileges

PLAIN = {"Ping": "Keepalive command.  (Priv: <none>)", "ListCommands": "List …  (Priv: <none>)"}


def test_an_action_that_one_permission_allows_proves_it() -> None:
    listing = PLAIN | {"QueueAdd": "Add interface to queue.  (Priv: agent,all)"}
    assert privileges(listing) == {"agent"}


def test_nothing_is_proven_by_what_everybody_may() -> None:
    assert privileges(PLAIN) == frozenset()


def test_reporting_is_proven_where_only_shared_actions_show_it() -> None:
    """Without app_confbridge no action needs exactly reporting; ModuleLoad's absence disproves system."""
    listing = PLAIN | {"CoreStatus": "Show PBX core status variables.  (Priv: system,reporting,all)"}
    assert privileges(listing) == {"reporting"}


def test_what_stays_open_is_not_claimed() -> None:
    both = {
        "ModuleLoad": "Module management.  (Priv: system,all)",
        "CoreStatus": "Show PBX core status variables.  (Priv: system,reporting,all)",
    }
    assert privileges(PLAIN | both) == {"system"}


def test_a_user_who_may_everything() -> None:
    listing = PLAIN | {
        "Command": "Execute Asterisk CLI Command.  (Priv: command,all)",
        "Originate": "Originate a call.  (Priv: originate,all)",
        "GetConfig": "Retrieve configuration.  (Priv: config,all)",
    }
    assert privileges(listing) == {"command", "originate", "config"}
