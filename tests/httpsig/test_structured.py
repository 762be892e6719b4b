"""Structured fields, read strictly and written in their one form."""

from decimal import Decimal

import pytest

from enrol.httpsig.structured import (
    InnerList,
    Item,
    StructuredFieldError,
    Token,
    parse_dictionary,
    serialize_member,
)


@pytest.mark.parametrize(
    ("text", "members"),
    [
        ("", ()),
        ("  ", ()),
        ("a=1", (("a", Item(1)),)),
        ("a", (("a", Item(value=True)),)),
        ("a;x", (("a", Item(value=True, parameters=(("x", True),))),)),
        ("a=?0,\t b=-0", (("a", Item(value=False)), ("b", Item(0)))),
        ("a=1.50", (("a", Item(Decimal("1.5"))),)),
        ('a="q\\"\\\\"', (("a", Item('q"\\')),)),
        ("a=*t/k:1", (("a", Item(Token("*t/k:1"))),)),
        ("a=:YQ==:;b=1;b=2", (("a", Item(b"a", (("b", 1), ("b", 2)))),)),
        ("a=::", (("a", Item(b"")),)),
        ("a=1, a=2", (("a", Item(1)), ("a", Item(2)))),
        ("a=()", (("a", InnerList(())),)),
        (
            'a=(  "x";y   z );b=1',
            (("a", InnerList((Item("x", (("y", True),)), Item(Token("z"))), (("b", 1),))),),
        ),
    ],
)
def test_dictionary_is_read(text, members):
    assert parse_dictionary(text.encode()) == members


@pytest.mark.parametrize(
    "text",
    [
        "A=1",
        "a=1,",
        "a=1,,b=2",
        ",a=1",
        "a=1 b=2",
        "a= 1",
        "a =1",
        'a="',
        'a="\\x"',
        'a="\t"',
        "a=:YQ:",
        "a=:YR==:",
        "a=:Y Q==:",
        "a=:YQ==",
        "a=1.",
        "a=.1",
        "a=1.2345",
        "a=1234567890123456",
        "a=1234567890123.1",
        "a=--1",
        "a=?2",
        "a=@1",
        'a=("x""y")',
        'a=("x"',
        "a=((x))",
        "a=(x,y)",
        "a=1;",
        "a=1;B",
        "a=1 ;b",
        "\u00e9=1",
        "a=1\n",
    ],
)
def test_what_is_no_dictionary_is_refused(text):
    with pytest.raises(StructuredFieldError):
        parse_dictionary(text.encode())


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a=(  )", "()"),
        ('a=(  "x";y=?1   z );b=1.0', '("x";y z);b=1.0'),
        ("a=007;b=?0", "7;b=?0"),
        ("a=-1.250", "-1.25"),
        ('a="\\"\\\\"', '"\\"\\\\"'),
        ("a=:YQ==:", ":YQ==:"),
    ],
)
def test_member_has_one_form(text, written):
    ((_, member),) = parse_dictionary(text.encode())
    assert serialize_member(member) == written
