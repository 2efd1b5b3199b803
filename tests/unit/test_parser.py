"""Tables of lines: what the good ones mean, and what the caret shows under the bad ones."""

from dataclasses import dataclass, field

import pytest

from bot.commands.parser import Context, parse
from bot.commands.tokens import HIGHEST_NUMBER
from bot.domain.errors import UsageProblem
from tests.unit.sample_commands import HERE, IN_42, REGISTRY, SEVERAL, refusal


@dataclass(frozen=True)
class Good:
    """A line and what it is to be read as."""

    line: str
    command: str
    numbers: tuple[int, ...] = ()
    words: dict[str, str] = field(default_factory=dict)
    options: dict[str, str | bool] = field(default_factory=dict)
    context: Context = HERE


GOOD = [
    Good("!take 42", "take", (42,)),
    Good("  !take\u00a0#42 ", "take", (42,)),
    Good("!TAKE 42", "take", (42,)),
    Good("!nehmen 42", "take", (42,)),
    Good("!Schliessen 42", "close", (42,)),
    Good("!u\u0308bergeben 42 freiburg", "transfer", (42,), {"team": "freiburg"}),
    Good("!take#42", "take", (42,)),
    Good("!take: 42", "take", (42,)),
    Good("!take 41 42 41", "take", (41, 42)),
    Good("!take 41,42", "take", (41, 42)),
    Good("!take #41, #42", "take", (41, 42)),
    Good("!take 41 , 42", "take", (41, 42)),
    Good("!take 41 ,42", "take", (41, 42)),
    Good("!take 41\n42", "take", (41, 42)),
    Good("!take 0042", "take", (42,)),
    Good(f"!take {HIGHEST_NUMBER}", "take", (HIGHEST_NUMBER,)),
    Good("!take", "take", (42,), context=IN_42),
    Good("!take", "take", (42,), context=Context((42, 42))),
    Good("!take 7", "take", (7,), context=IN_42),
    Good("!take 7", "take", (7,), context=SEVERAL),
    # options
    Good("!take --force 42", "take", (42,), options={"--force": True}),
    Good("!take --force --force 42", "take", (42,), options={"--force": True}),
    Good("!take 42 --Force", "take", (42,), options={"--force": True}),
    Good("!take 41 —force 42", "take", (41, 42), options={"--force": True}),
    Good("!take 42 –force", "take", (42,), options={"--force": True}),
    Good("!take 42 –-force", "take", (42,), options={"--force": True}),
    Good("!take —force", "take", (42,), options={"--force": True}, context=IN_42),
    Good('!new --name "Anna B" --email a@b.de Hi\n\nBitte "bald" --x', "new",
         words={"text": 'Hi\n\nBitte "bald" --x'}, options={"--name": "Anna B", "--email": "a@b.de"}),
    Good("!new --name „Anna B“ x", "new", words={"text": "x"}, options={"--name": "Anna B"}),
    Good("!new —name “Anna B” x", "new", words={"text": "x"}, options={"--name": "Anna B"}),
    Good("!new --name «Anna B» x", "new", words={"text": "x"}, options={"--name": "Anna B"}),
    Good("!new --name=»Anna B« x", "new", words={"text": "x"}, options={"--name": "Anna B"}),
    Good("!new --name=Anna x", "new", words={"text": "x"}, options={"--name": "Anna"}),
    Good("!new --name=O'Neill x", "new", words={"text": "x"}, options={"--name": "O'Neill"}),
    Good("!new --name=--x y", "new", words={"text": "y"}, options={"--name": "--x"}),
    Good("!new --name Anna\n--email a@b.de\nx", "new", words={"text": "x"},
         options={"--name": "Anna", "--email": "a@b.de"}),
    # text is literal
    Good('!close 42 done  -- so --force #7 "x', "close", (42,), {"reason": 'done  -- so --force #7 "x'}),
    Good("!close 42 -- --force", "close", (42,), {"reason": "--force"}),
    Good("!close 42 — weg", "close", (42,), {"reason": "weg"}),
    Good("!close 42 -- 2 laptops", "close", (42,), {"reason": "2 laptops"}),
    Good("!close 41, 42: 2 laptops", "close", (41, 42), {"reason": "2 laptops"}),
    Good("!message 42: hello\n\n  there ", "message", (42,), {"text": "hello\n\n  there"}),
    Good("!message 42\n7 laptops", "message", (42,), {"text": "7 laptops"}),
    Good("!message 42\n— Anna", "message", (42,), {"text": "— Anna"}),
    Good("!message\n42 hello", "message", (42,), {"text": "hello"}),
    Good("!close 41 2x", "close", (41,), {"reason": "2x"}),
    Good("!close 41 ٤٢", "close", (41,), {"reason": "٤٢"}),
    Good("!message 42 4915112345678 called", "message", (42,), {"text": "4915112345678 called"}),
    Good("!new 2 laptops", "new", words={"text": "2 laptops"}),
    # in a ticket's thread
    Good("!close", "close", (42,), context=IN_42),
    Good("!close given away", "close", (42,), {"reason": "given away"}, context=IN_42),
    Good("!close -- 2 laptops", "close", (42,), {"reason": "2 laptops"}, context=IN_42),
    Good("!close 42 given", "close", (42,), {"reason": "given"}, context=IN_42),
    Good("!close #7 given", "close", (7,), {"reason": "given"}, context=IN_42),
    Good("!close #7,8 given", "close", (7, 8), {"reason": "given"}, context=IN_42),
    Good("!close\n2 laptops", "close", (42,), {"reason": "2 laptops"}, context=IN_42),
    Good("!close 3. try", "close", (42,), {"reason": "3. try"}, context=IN_42),
    Good("!close 99999999999 is wrong", "close", (42,), {"reason": "99999999999 is wrong"}, context=IN_42),
    Good("!close 41 given", "close", (41,), {"reason": "given"}, context=SEVERAL),
    # people and words
    Good("!assign 42 @anna:example.org", "assign", (42,), {"person": "@anna:example.org"}),
    Good("!assign @anna:example.org", "assign", (42,), {"person": "@anna:example.org"}, context=IN_42),
    Good("!assign 42 „Anna B“", "assign", (42,), {"person": "Anna B"}),
    Good("!assign 42 https://matrix.to/#/@a:b", "assign", (42,), {"person": "https://matrix.to/#/@a:b"}),
    Good("!assign 41 42 Anna", "assign", (41, 42), {"person": "Anna"}),
    Good("!transfer 42 -- 7", "transfer", (42,), {"team": "7"}),
    Good("!transfer 42: 7", "transfer", (42,), {"team": "7"}),
    Good("!list", "list"),
    Good("!list freiburg", "list", words={"team": "freiburg"}),
    Good("!mine", "mine", context=IN_42),
    # two words
    Good("!task 42", "task list", (42,)),
    Good("!task", "task list", (42,), context=IN_42),
    Good("!aufgabe liste 7", "task list", (7,), context=IN_42),
    Good("!task 42 list", "task list", (42,)),
    Good("!TASK Add 42 power supply", "task add", (42,), {"text": "power supply"}),
    Good("!task 42 add power supply", "task add", (42,), {"text": "power supply"}),
    Good("!task #42 add 2 power supplies", "task add", (42,), {"text": "2 power supplies"}),
    Good("!task 7 add 2 power supplies", "task add", (7,), {"text": "2 power supplies"}, context=IN_42),
    Good("!task add power supply", "task add", (42,), {"text": "power supply"}, context=IN_42),
    Good("!task add: power\nsupply", "task add", (42,), {"text": "power\nsupply"}, context=IN_42),
    Good("!aufgabe add 42 list", "task add", (42,), {"text": "list"}),
    Good("!task neu 42 x", "task add", (42,), {"text": "x"}),
    Good("!task: 42 add x", "task add", (42,), {"text": "x"}),
    # items
    Good("!task done 42 1", "task done", (42,), {"task": "1"}),
    Good("!task done 42 1 3, 4", "task done", (42,), {"task": "1 3 4"}),
    Good("!task 42 done 1,3", "task done", (42,), {"task": "1 3"}),
    Good("!task 42 done #1", "task done", (42,), {"task": "1"}),
    Good("!task done 1 #42", "task done", (42,), {"task": "1"}),
    Good("!task done #42 1 3", "task done", (42,), {"task": "1 3"}, context=Context((60,))),
    Good("!task done 2", "task done", (42,), {"task": "2"}, context=IN_42),
    Good("!aufgabe erledigt 2 3", "task done", (42,), {"task": "2 3"}, context=IN_42),
    Good("!task done 42", "task done", (42,), {"task": "42"}, context=IN_42),
    Good("!task done 42 1", "task done", (42,), {"task": "1"}, context=IN_42),
    # pairs
    Good("!merge 42 57", "merge", (42, 57)),
    Good("!merge #57, #42 --force", "merge", (57, 42), options={"--force": True}),
    Good("!merge 57", "merge", (42, 57), context=IN_42),
    Good("!merge —force 57", "merge", (42, 57), options={"--force": True}, context=IN_42),
    Good("!zusammenführen 57 60", "merge", (57, 60), context=IN_42),
]  # fmt: skip


@pytest.mark.parametrize("good", GOOD, ids=lambda good: good.line)
def test_good_lines(good: Good) -> None:
    call = parse(good.line, REGISTRY, "!", good.context)
    assert call is not None
    read = (call.command.name, call.numbers, dict(call.words), dict(call.options))
    assert read == (good.command, good.numbers, good.words, good.options)


@pytest.mark.parametrize(
    "line", ["", " ", "!", "!!!", "! take 42", "!!take 42", "!7", "?!", "take 42", "¡take", "x !take"]
)
def test_no_commands(line: str) -> None:
    assert parse(line, REGISTRY, "!", IN_42) is None


P = UsageProblem
BAD = [
    # line, marks (spaces and ^ under the line that is quoted), problem, expected, context
    ("!taek 42", "^^^^^", P.UNKNOWN_COMMAND, "", HERE),
    ("!take/42", "^^^^^^^^", P.UNKNOWN_COMMAND, "", HERE),
    ("!take", "     ^", P.NO_TICKET, "number", HERE),
    ("!take  ", "     ^", P.NO_TICKET, "number", HERE),
    ("!take --force", "             ^", P.NO_TICKET, "number", HERE),
    ("!take", "     ^", P.NO_TICKET, "number", SEVERAL),
    ("!take -- 42", "      ^^", P.NO_TICKET, "number", HERE),
    ("!close given", "       ^^^^^", P.NO_TICKET, "number", HERE),
    ("!close -- 2 laptops", "       ^^", P.NO_TICKET, "number", HERE),
    ("!message ٤٢ hello", "         ^^", P.NO_TICKET, "number", HERE),
    ("!take 4z", "      ^^", P.NOT_A_NUMBER, "number", HERE),
    ("!take 4z", "      ^^", P.NOT_A_NUMBER, "number", IN_42),
    ("!take 41 4z 42", "         ^^", P.NOT_A_NUMBER, "number", HERE),
    ("!take ٤٢", "      ^^", P.NOT_A_NUMBER, "number", HERE),
    ("!take ²", "      ^", P.NOT_A_NUMBER, "number", HERE),
    ("!take 0", "      ^", P.NOT_A_NUMBER, "number", HERE),
    ("!take -5", "      ^^", P.NOT_A_NUMBER, "number", HERE),
    ("!take #", "      ^", P.NOT_A_NUMBER, "number", HERE),
    (f"!take {HIGHEST_NUMBER + 1}", "      ^^^^^^^^^^", P.NOT_A_NUMBER, "number", HERE),
    ("!close 99999999999 x", "       ^^^^^^^^^^^", P.NOT_A_NUMBER, "number", HERE),
    ("!close 4z x", "       ^^", P.NOT_A_NUMBER, "number", HERE),
    ("!show 41 42", "         ^^", P.ONE_NUMBER_ONLY, "number", HERE),
    ("!show 41,#42", "         ^^^", P.ONE_NUMBER_ONLY, "number", HERE),
    ("!message 42 2 laptops", "            ^", P.ONE_NUMBER_ONLY, "number", HERE),
    ("!close 2 laptops given", "       ^", P.UNCLEAR_NUMBER, "number", IN_42),
    ("!close 42 2 laptops given", "          ^", P.UNCLEAR_NUMBER, "number", IN_42),
    ("!close 42 42 laptops given", "          ^^", P.UNCLEAR_NUMBER, "number", IN_42),
    ("!close 42,7 done", "          ^", P.UNCLEAR_NUMBER, "number", IN_42),
    ("!close 7: done", "       ^", P.UNCLEAR_NUMBER, "number", IN_42),
    ("!message 2", "         ^", P.UNCLEAR_NUMBER, "number", IN_42),
    ("!assign 7 anna", "        ^", P.UNCLEAR_NUMBER, "number", IN_42),
    ("!assign 42", "          ^", P.MISSING, "person", HERE),
    ("!assign", "       ^", P.MISSING, "person", IN_42),
    ('!assign 42 ""', "           ^^", P.MISSING, "person", HERE),
    ("!message 42  \n ", "           ^", P.MISSING, "text", HERE),
    ("!new --name A", "             ^", P.MISSING, "text", HERE),
    ("!mine now", "      ^^^", P.UNEXPECTED, "", HERE),
    ("!mine 42", "      ^^", P.UNEXPECTED, "", HERE),
    ("!assign 42 Anna Berger", "                ^^^^^^", P.UNEXPECTED, "", HERE),
    ("!assign @anna:b 42", "                ^^", P.UNEXPECTED, "", IN_42),
    ("!take -- 42", "         ^^", P.UNEXPECTED, "", IN_42),
    ("!take 42 --force=yes", "                ^^^^", P.UNEXPECTED, "", HERE),
    ("!take 42 --force=", "                ^", P.UNEXPECTED, "", HERE),
    ("!new --name A --name B x", "              ^^^^^^", P.UNEXPECTED, "", HERE),
    ("!take 42 --froce", "         ^^^^^^^", P.UNKNOWN_OPTION, "", HERE),
    ("!take 42 —froce=1", "         ^^^^^^", P.UNKNOWN_OPTION, "", HERE),
    ("!close 42 —weg", "          ^^^^", P.UNKNOWN_OPTION, "", HERE),
    ("!new --email", "     ^^^^^^^", P.OPTION_NEEDS_VALUE, "--email", HERE),
    ("!new --email= x", "     ^^^^^^^", P.OPTION_NEEDS_VALUE, "--email", HERE),
    ("!new --email --name x", "     ^^^^^^^", P.OPTION_NEEDS_VALUE, "--email", HERE),
    ("!new --email -- x", "     ^^^^^^^", P.OPTION_NEEDS_VALUE, "--email", HERE),
    ('!new --email "" x', "     ^^^^^^^", P.OPTION_NEEDS_VALUE, "--email", HERE),
    ("!new --email\nx", "     ^^^^^^^", P.OPTION_NEEDS_VALUE, "--email", HERE),
    ("!new --name „Anna B x", "            ^", P.UNCLOSED_QUOTE, "", HERE),
    ('!assign 42 "Anna\nB"', "           ^", P.UNCLOSED_QUOTE, "", HERE),
    ("!task power supply", "      ^^^^^", P.UNKNOWN_FORM, "", IN_42),
    ("!task 42 dnoe 1", "         ^^^^", P.UNKNOWN_FORM, "", HERE),
    ("!task", "     ^", P.NO_TICKET, "number", HERE),
    ("!task 41 42", "         ^^", P.ONE_NUMBER_ONLY, "number", HERE),
    ("!task 42 --force", "         ^^^^^^^", P.UNKNOWN_OPTION, "", HERE),
    ("!task add power", "          ^^^^^", P.NO_TICKET, "number", HERE),
    ("!task add 2 power supplies", "          ^", P.UNCLEAR_NUMBER, "number", IN_42),
    ("!task add", "         ^", P.MISSING, "text", IN_42),
    ("!task 41,42 add x", "         ^^", P.ONE_NUMBER_ONLY, "number", HERE),
    ("!task done", "          ^", P.NO_TICKET, "number", HERE),
    ("!task done", "          ^", P.MISSING, "task", IN_42),
    ("!task done 42", "             ^", P.MISSING, "task", HERE),
    ("!task 42 done", "             ^", P.MISSING, "task", HERE),
    ("!task done power supply", "           ^^^^^", P.NOT_A_NUMBER, "task", IN_42),
    ("!task done #41 #42 1", "               ^^^", P.ONE_NUMBER_ONLY, "number", HERE),
    ("!merge", "      ^", P.NO_TICKET, "number", HERE),
    ("!merge", "      ^", P.TWO_NUMBERS, "number", IN_42),
    ("!merge 42", "         ^", P.TWO_NUMBERS, "number", HERE),
    ("!merge 42 42", "            ^", P.TWO_NUMBERS, "number", HERE),
    ("!merge 42", "         ^", P.TWO_NUMBERS, "number", IN_42),
    ("!merge 42 57 60", "             ^^", P.TWO_NUMBERS, "number", HERE),
    ("!merge 42 laptop", "          ^^^^^^", P.NOT_A_NUMBER, "number", HERE),
    ("!merge laptop", "       ^^^^^^", P.NOT_A_NUMBER, "number", IN_42),
]  # fmt: skip


@pytest.mark.parametrize(("line", "marks", "problem", "expected", "context"), BAD)
def test_bad_lines(line: str, marks: str, problem: UsageProblem, expected: str, context: Context) -> None:
    error = refusal(line, context)
    assert (error.problem, error.expected) == (problem, expected)
    assert " " * error.start + "^" * error.length == marks
    assert error.line == line.split("\n")[0]
