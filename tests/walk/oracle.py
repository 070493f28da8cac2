"""The oracle of a quiet moment: where the floor is not what Asterisk says.

Each check is a generator of differences: a kind, by which findings are counted, and a text that names both sides.
A check asks only what Asterisk leaves no doubt about; what the floor may say in its own words is not compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from .findings import Difference
from .picture import TRUNK, Channel
from .seen import CONNECTED, Seen, View

Check = Callable[[Seen], Iterator[Difference]]


# --- channels and people -----------------------------------------------------------------------------------


def everybody_is_listed(seen: Seen) -> Iterator[Difference]:
    """Whoever hears somebody, waits in a queue or is parked is on exactly one call."""
    legs = [person["leg"] for call in seen.calls.values() for person in call["people"]]
    for channel in seen.picture.channels.values():
        somewhere = (
            seen.picture.heard(channel.id)
            or channel.id in seen.picture.parked
            or seen.picture.queue_of(channel.id)
        )
        if channel.up and somewhere and channel.id not in legs:
            yield Difference("somebody is on no call", f"{channel.name} {channel.id}")
        if legs.count(channel.id) > 1:
            yield Difference("a leg is on two calls", f"{channel.name} {channel.id}")
    for call in seen.calls.values():
        for person in call["people"]:
            if person["leg"] not in seen.picture.channels and call["state"] != "ended":
                yield Difference("a person without a channel", f"{call['call']}: {person}")


def one_room_is_one_call(seen: Seen) -> Iterator[Difference]:
    """Who hear each other are on one call. Each of several customers keeps a call of their own."""
    for room in set(seen.picture.rooms.values()):
        calls = {call["call"] for one in room if (call := seen.call_with(one)) is not None}
        if len(calls) > max(1, len(room & seen.customers)):
            names = sorted(seen.picture.channels[one].name for one in room)
            yield Difference("one room, several calls", f"{names}: {sorted(calls)}")


def people_do_what_they_do(seen: Seen) -> Iterator[Difference]:
    """The state of each person who is not an agent of the call."""
    for call in seen.calls.values():
        for person in call["people"]:
            channel = seen.picture.channels.get(person["leg"])
            if channel is None or call["state"] == "ended":
                continue
            wanted = _does(seen, channel)
            if person["role"] != "agent" and wanted and person["state"] not in wanted:
                text = f"{channel.name} {channel.id}: shown {person['state']}, not {' or '.join(sorted(wanted))}"
                yield Difference(f"person {person['state']}, not {'/'.join(sorted(wanted))}", text)


def _does(seen: Seen, channel: Channel) -> set[str]:
    picture = seen.picture
    if channel.id in picture.parked:
        return {"parked"}
    if not channel.up:
        return set()
    heard = picture.heard(channel.id)
    if channel.id in picture.on_hold and not picture.queue_of(channel.id):
        # Out of the queue, while the phone of whoever picked them rings, a caller waits on: the word is queued.
        return {"hold", "waiting", "ringing", "queued"} if not heard else {"hold"}
    if heard:
        return {"talking"} if picture.speaks_with(channel.id) else {"hold"}
    return {"queued"} if picture.queue_of(channel.id) and channel.id in seen.customers else set()


# --- calls -------------------------------------------------------------------------------------------------


def calls_are_in_their_state(seen: Seen) -> Iterator[Difference]:
    for call in seen.calls.values():
        wanted = _state(seen, call)
        if wanted is not None and call["state"] != wanted:
            yield Difference(f"call {call['state']}, not {wanted}", call["call"])


def _state(seen: Seen, call: View) -> str | None:
    """None where Asterisk leaves open which word fits."""
    if call["state"] == "ended":
        return None if not call["people"] else "not ended"
    channels, picture = seen.channels_of(call), seen.picture
    if any(one.id in picture.parked for one in channels):
        return "parked"
    if any(one.id in picture.conference or len(picture.heard(one.id)) > 1 for one in channels):
        return "conference"
    customers = [one for one in channels if one.id in seen.customers]
    agents = [one for one in channels if seen.is_seat(one)]
    spoken_with = {other for one in agents for other in seen.picture.speaks_with(one.id)}
    if customers and spoken_with & {one.id for one in customers}:
        return "talking"
    if customers and (spoken_with or any(picture.heard(one.id) for one in agents)):
        return "held"
    if any(one.up and one.bridge in picture.local_bridges for one in agents):
        return "held" if customers else None  # it reaches for a colleague
    rings = any(
        one.state == "Ringing" for one in picture.channels.values() if one.linkedid == call["call"].split(":")[-1]
    )
    if customers and not spoken_with and any(picture.queue_of(one.id) for one in customers):
        return "ringing" if rings else "queued"
    if not customers and spoken_with and len(agents) > 1:
        return "talking"
    return None


def calls_have_their_direction(seen: Seen) -> Iterator[Difference]:
    for call in seen.calls.values():
        channels = seen.channels_of(call)
        outside = [one for one in channels if one.device == TRUNK and one.id not in seen.customers]
        if any(one.id in seen.customers for one in channels) and call["direction"] != "inbound":
            yield Difference(f"direction {call['direction']}, not inbound", call["call"])
        elif outside and call["direction"] == "internal":
            yield Difference("direction internal, with a number outside", call["call"])


def spaces_are_those_of_parking(seen: Seen) -> Iterator[Difference]:
    for channel, space in seen.picture.parked.items():
        call = seen.call_with(channel)
        if call is not None and call["park_space"] != space:
            yield Difference("another parking space", f"{channel}: {call['park_space']!r}, not {space!r}")
    for call in seen.calls.values():
        # Where an agent was parked and parks what they were parked by, half of a Local pair is left, and nobody.
        nobody_at_all = not call["people"] and call["park_space"] in seen.picture.parked.values()
        parked = nobody_at_all or any(p["leg"] in seen.picture.parked for p in call["people"])
        if call["park_space"] is not None and not parked:
            yield Difference("parked though nobody is", f"{call['call']} at {call['park_space']!r}")


# --- agents ------------------------------------------------------------------------------------------------


def parts_are_what_phones_do(seen: Seen) -> Iterator[Difference]:
    for call, part in seen.open_parts():
        channels = _phone(seen, call, part)
        name = f"{part['name']} in {call['call']}: part {part['position']} {part['state']}/{part['standing']}"
        if not channels:
            yield Difference(f"a part {part['state']} without a phone", name)
            continue
        held = all(one.id in seen.picture.on_hold - seen.picture.conference for one in channels)
        heard = {other for one in channels for other in seen.picture.heard(one.id)}
        speaks = {other for one in channels for other in seen.picture.speaks_with(one.id)}
        match part["state"]:
            case "ringing" if heard:
                yield Difference("a part rings, its phone talks", name)
            case "talking" if held:
                pass  # a colleague holds or consults: for whom they called that is talk (parts-and-segments.md)
            case "talking" if not heard:
                alone = (
                    "alone in a room"
                    if any(one.id in seen.picture.conference for one in channels)
                    else "with nobody"
                )
                yield Difference(f"a part talks {alone}", name)
            case "talking" if not speaks:
                yield Difference("a part talks, the other side hears music", name)
            case "hold" if speaks & seen.customers:
                yield Difference("a part holds, the customer hears the agent", name)
            case "hold" if speaks:
                yield Difference("a part holds, the agent talks with somebody", name)
            case "consulting" if speaks & seen.customers:
                yield Difference("a part consults, the customer hears the agent", name)


def who_is_consulted_is_told_so(seen: Seen) -> Iterator[Difference]:
    """A phone that a consultation rings: the agent comes into the call by it, not by a transfer, while the one who
    asks is there."""
    reaching = {call["call"] for call, part in seen.open_parts() if part["standing"] == "reaching"}
    for call, part in seen.open_parts():
        if call["call"] not in reaching:
            continue
        for channel in _phone(seen, call, part):
            asked = channel.linkedid in seen.picture.consulted and channel.state == "Ringing"
            if asked and part["state"] == "ringing" and part["origin"] not in ("consult", "offer", "internal"):
                name = f"{part['name']} in {call['call']}: part {part['position']}"
                yield Difference(f"a consulted phone rings as {part['origin']}", name)


def _phone(seen: Seen, call: View, part: View) -> list[Channel]:
    """The channels of the agent's phone in this call; it may have another call beside it."""
    if part["leg"] in seen.picture.channels:
        return [seen.picture.channels[part["leg"]]]
    at_seat = seen.picture.at(part["seat"])
    listed = {person["leg"] for person in call["people"]}
    return [one for one in at_seat if one.id in listed] or at_seat


def who_talks_has_a_part(seen: Seen) -> Iterator[Difference]:
    for channel in seen.picture.channels.values():
        if not seen.is_seat(channel) or not (heard := seen.picture.heard(channel.id)):
            continue
        own = [
            part
            for call, part in seen.open_parts()
            if part["seat"] == channel.device and part["state"] in CONNECTED
        ]
        # A queue may have reached the phone by a Local pair, which is the part's leg then.
        legs = {part["leg"] for part in own if part["leg"] not in seen.picture.plumbing}
        if not own:
            yield Difference("an agent talks without a part", f"{channel.name} {channel.id}")
        elif None in legs:
            yield Difference("a connected part without its leg", f"{channel.name} {channel.id}")
        elif len(legs) == len(own) and not legs & {channel.id, *heard}:
            yield Difference("a part has another leg", f"{channel.name} {channel.id}: {sorted(legs)}")


def agents_are_in_their_state(seen: Seen) -> Iterator[Difference]:
    for agent, seat in seen.seats.items():
        state = seen.team[agent]["state"]["name"]
        channels = seen.picture.at(seat)
        text = f"{seen.team[agent]['name']} is {state}; {[(one.name, one.state) for one in channels]}"
        if any(seen.picture.heard(one.id) for one in channels):
            if state not in ("talking", "hold"):
                yield Difference(f"an agent {state}, the phone talks", text)
        elif any(one.state == "Ringing" for one in channels):
            if state not in ("reserved", "talking", "hold"):
                yield Difference(f"an agent {state}, the phone rings", text)
        elif not channels and state in ("reserved", "talking", "hold"):
            yield Difference(f"an agent {state}, the phone is idle", text)


# --- queues ------------------------------------------------------------------------------------------------

CLOCK_S = 3.0


def queues_hold_their_callers(seen: Seen) -> Iterator[Difference]:
    for name, callers in seen.picture.waiting.items():
        shown = seen.queues.get(name)
        if shown is None:
            yield Difference("a queue is not shown", name)
            continue
        if shown["waiting"] != len(callers):
            yield Difference("a queue counts others than wait", f"{name}: {shown['waiting']}, not {len(callers)}")
        for caller in callers:
            call = seen.call_with(caller.channel)
            if call is None or call["state"] not in ("queued", "ringing") or caller.channel not in seen.customers:
                continue
            if call["queue"] != name:
                yield Difference("a caller waits in another queue", f"{call['call']}: {call['queue']}, not {name}")
            elif call["position"] != caller.place:
                yield Difference(
                    "a caller has another place", f"{call['call']}: #{call['position']}, not #{caller.place}"
                )
    for call in seen.calls.values():
        # Whom an agent gave to a queue that they had asked waits there behind half of a Local pair.
        waiting = seen.picture.waiting.get(call["queue"] or "", ())
        behind_local = any(one.channel in seen.picture.plumbing for one in waiting)
        in_queue = behind_local or any(seen.picture.queue_of(p["leg"]) for p in call["people"])
        if call["state"] == "queued" and not in_queue:
            yield Difference("queued, but in no queue", call["call"])


def members_are_those_of_the_queues(seen: Seen) -> Iterator[Difference]:
    for name, members in seen.picture.members.items():
        shown = seen.members.get(name, {})
        if set(shown) != set(members):
            yield Difference("other members", f"{name}: {sorted(shown)}, not {sorted(members)}")
        for interface in set(shown) & set(members):
            mine, theirs = shown[interface], members[interface]
            a = (mine["seat"], mine["status"], mine["paused"], mine["reason"] or "", mine["penalty"])
            b = (
                theirs.seat,
                theirs.status,
                theirs.paused,
                theirs.reason if theirs.paused else mine["reason"] or "",
                theirs.penalty,
            )
            if a != b:
                yield Difference("a member is otherwise", f"{interface} of {name}: {a}, not {b}")


CHECKS: tuple[Check, ...] = (
    everybody_is_listed,
    one_room_is_one_call,
    people_do_what_they_do,
    calls_are_in_their_state,
    calls_have_their_direction,
    spaces_are_those_of_parking,
    parts_are_what_phones_do,
    who_is_consulted_is_told_so,
    who_talks_has_a_part,
    agents_are_in_their_state,
    queues_hold_their_callers,
    members_are_those_of_the_queues,
)


def differences(seen: Seen) -> list[Difference]:
    """Where the floor is not what Asterisk says, each once."""
    return list(dict.fromkeys(one for check in CHECKS for one in check(seen)))
