"""The line that is being typed in the demo's terminal."""

import pytest

from bot.demo.line_editor import LineEditor

LEFT, RIGHT, UP, DOWN, HOME, END, DELETE = (f"\x1b[{key}" for key in ("D", "C", "A", "B", "H", "F", "3~"))


@pytest.mark.parametrize(
    ("typed", "line"),
    [
        ("!take 1\r", "!take 1"),
        ("tülle 🙋\n", "tülle 🙋"),
        ("!tale\x7f\x7fke 1\r", "!take 1"),
        (f"ake{HOME}t{END} 1\r", "take 1"),
        (f"tke{LEFT}{LEFT}a\r", "take"),
        (f"taake{HOME}{RIGHT}{DELETE}\r", "take"),
        ("gone\x15stays\r", "stays"),
        ("two words \x17\r", "two "),
        ("\x1bOD\x1b[1;5Cplain\x1b[15~\r", "plain"),
        ("bell\x07\x00\r", "bell"),
        ("\x7f\x1b[Dx\r", "x"),
    ],
)
def test_keys_make_a_line(typed: str, line: str) -> None:
    assert LineEditor().feed(typed) == [line]


def test_keys_may_come_in_pieces() -> None:
    editor = LineEditor()
    assert [editor.feed(sign) for sign in f"ab{LEFT}c\r"][-1] == ["acb"]


def test_ctrl_d_ends_the_input_only_on_an_empty_line() -> None:
    editor = LineEditor()
    assert editor.feed("x\x04") == []
    assert editor.feed("\r\x04") == ["x", None]


def test_earlier_lines_come_back() -> None:
    editor = LineEditor()
    editor.feed("first\rsecond\rsecond\r")

    assert editor.feed(f"{UP}{UP}\r") == ["first"]
    assert editor.feed(f"{UP}{UP}{UP}{DOWN}{DOWN}{DOWN}new\r") == ["new"]


def test_it_always_fits_into_one_row_with_the_cursor_in_sight() -> None:
    editor = LineEditor()
    editor.feed("🙋" * 30 + "end")

    shown, back = editor.shown(20)
    assert shown.startswith("…")
    assert shown.endswith("end")
    assert back == 0


def test_the_cursor_stands_where_the_next_sign_goes() -> None:
    editor = LineEditor()
    editor.feed(f"a🙋b{LEFT}{LEFT}")

    assert editor.shown(40) == ("a🙋b", 3)
