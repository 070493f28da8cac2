"""A policy as people write it: what is read, and each mistake by its rule and field."""

from __future__ import annotations

import pytest

from cti_server.rules.dial_policy import DEFAULT, Hours, Limit, Policy, Rule
from cti_server.rules.dial_policy_form import BadPolicy, fingerprint, read, written

WHOLE = {
    "rules": [
        {
            "name": "nights",
            "answer": "refuse",
            "roles": ["agent"],
            "logins": [" Li "],
            "kinds": ["international"],
            "countries": ["HK", "001"],
            "numbers": ["+8526", "400"],
            "hours": {"zone": "Asia/Shanghai", "weekdays": ["sat", "sun"], "from": "22:00", "to": "06:30"},
        },
        {"name": "all", "answer": "allow"},
    ],
    "limits": [{"a_minute": 5, "at_once": 1, "roles": ["agent"]}, {"a_minute": 1000, "at_once": 0}],
    "emergency": ["110", "2222"],
    "internal": ["6XX"],
}


def test_everything_that_can_be_said() -> None:
    nights = Rule(
        "nights",
        "refuse",
        ("agent",),
        ("li",),
        ("international",),
        ("HK", "001"),
        ("+8526", "400"),
        Hours("Asia/Shanghai", ("sat", "sun"), 22 * 60, 6 * 60 + 30),
    )
    limits = (Limit(5, 1, ("agent",)), Limit(1000, 0))
    assert read(WHOLE) == Policy((nights, Rule("all", "allow")), limits, ("110", "2222"), ("6XX",))


@pytest.mark.parametrize("policy", [DEFAULT, read(WHOLE)])
def test_what_is_written_is_read_back(policy: Policy) -> None:
    assert read(written(policy)) == policy
    assert fingerprint(policy) == fingerprint(read(written(policy)))
    assert fingerprint(policy) != fingerprint(policy, "another region")


def one(**fields: object) -> dict[str, object]:
    return {"rules": [{"name": "home", "answer": "allow"}, {"name": "abroad", "answer": "refuse", **fields}]}


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ([], "policy: is to be a table"),
        ({}, "rules: there is to be a rule"),
        ({"rules": []}, "rules: there is to be a rule"),
        ({"rules": {}}, "rules: is to be a list"),
        ({"rules": ["all"]}, "rule 1: is to be a table"),
        ({"rules": [{"name": "a", "answer": "allow"}], "rule": []}, "rule: there is no such field; it has rules"),
        (one(answer="maybe"), "rule 2 (abroad): answer: is allow or refuse"),
        (one(name="Abroad!"), "rule 2 (Abroad!): name: is to be small letters"),
        (one(name=7), "rule 2: name: is to be small letters"),
        (one(name="home"), "rule 2 (home): name: another rule is called home"),
        (one(name="off_shift"), "name: is to be small letters"),
        (one(name="emergency"), "a word of the server's own"),
        (one(kind=["premium"]), "rule 2 (abroad): kind: there is no such field; it has name, answer"),
        (one(kinds=["expensive"]), "rule 2 (abroad): kinds: 'expensive' is none of internal, own"),
        (one(kinds="premium"), "kinds: is to be a list"),
        (one(kinds=[]), "kinds: is empty, which would fit everything"),
        (one(roles=["boss"]), "roles: 'boss' is none of agent, supervisor, administrator"),
        (one(logins=[""]), "logins: '' is none"),
        (one(countries=["UK"]), "countries: 'UK' is none ISO regions"),
        (one(countries=[86]), "countries: 86 is none"),
        (one(numbers=["+44 7"]), "numbers: '+44 7' is none beginnings of numbers"),
        (one(hours="always"), "hours: is to be a table"),
        (one(hours={"zone": "Mars/Base"}), "hours.zone: is to be a time zone"),
        (one(hours={"zone": "../etc/passwd"}), "hours.zone: is to be a time zone"),
        (one(hours={"zone": "UTC", "from": "8"}), "hours.from: is to be a time from 00:00"),
        (one(hours={"zone": "UTC", "to": "24:01"}), "hours.to: is to be a time"),
        (one(hours={"zone": "UTC", "from": "08:00", "to": "08:00"}), "hours.to: is the same as from"),
        (one(hours={"zone": "UTC", "weekdays": ["monday"]}), "hours.weekdays: 'monday' is none of mon, tue"),
        (one(hours={"zone": "UTC", "until": "9"}), "hours.until: there is no such field"),
        ({**one(), "limits": [{"a_minute": -1, "at_once": 3}]}, "limit 1: a_minute: is to be a whole number"),
        ({**one(), "limits": [{"a_minute": 1}]}, "limit 1: at_once: is to be a whole number"),
        ({**one(), "limits": [{"a_minute": True, "at_once": 3}]}, "limit 1: a_minute"),
        ({**one(), "limits": 5}, "limits: is to be a list"),
        ({**one(), "emergency": ["nine"]}, "emergency: 'nine' is not two to six digits"),
        ({**one(), "emergency": "110"}, "emergency: is to be a list"),
        ({**one(), "internal": ["6NN"]}, "internal: '6NN' is not digits and X"),
        (
            {"rules": [{"name": f"r{i}", "answer": "allow"} for i in range(201)]},
            "rules: has 201; the limit is 200",
        ),
    ],
)
def test_a_mistake_is_named_by_its_rule_and_field(form: object, says: str) -> None:
    with pytest.raises(BadPolicy) as caught:
        read(form)
    assert says in str(caught.value)


def test_all_mistakes_are_named_at_once() -> None:
    with pytest.raises(BadPolicy) as caught:
        read({"rules": [{"name": "a", "answer": "x"}, {"answer": "allow", "kinds": ["y"]}], "limits": [{}]})
    assert [one.at for one in caught.value.mistakes] == [
        "rules.0.answer",
        "rules.1.name",
        "rules.1.kinds",
        "limits.0.a_minute",
        "limits.0.at_once",
    ]
