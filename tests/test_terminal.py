"""Nothing that stood in somebody's record reaches the terminal as a command to it."""

import io
import re

import tiny
from rich.console import Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text
from typer.testing import CliRunner

from harness.cli import app
from harness.record import RunRecord
from harness.store import Store
from harness.terminal import PlainConsole, clean

EVIL = "a\x1b]0;title\x07b\x9b2Jc\rd\x7fe"
SAFE = "a]0;titleb2Jcde"
COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def printed(renderable, **settings):
    out = io.StringIO()
    PlainConsole(file=out, width=80, highlight=False, **settings).print(renderable)
    return out.getvalue()


def nested():
    table = Table(title=EVIL)
    table.add_column(EVIL, style="bold red")
    table.add_row(Text(EVIL))
    return Group(Panel(table), EVIL)


def test_text_keeps_its_lines_and_tabs_and_loses_what_a_terminal_obeys():
    assert clean(f"{EVIL}\n\tf") == f"{SAFE}\n\tf"


def test_whatever_is_printed_however_deep_is_clean():
    shown = printed(nested())
    assert shown.count(SAFE) == 4 and not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", shown)


def test_colours_of_our_own_still_pass():
    shown = printed(nested(), force_terminal=True, color_system="standard")
    assert COLOURS.search(shown) and "\x1b" not in COLOURS.sub("", shown) and SAFE in COLOURS.sub("", shown)


def test_a_record_from_elsewhere_cannot_write_to_the_terminal(tmp_path):
    spec = tiny.spec()
    Store(tmp_path).put(RunRecord(spec, "failed", reason=EVIL, traceback=EVIL))
    shown = CliRunner().invoke(app, ["leaderboard", "--missing", "--results", str(tmp_path)])
    assert "title" in shown.output and not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", shown.output)


def test_a_sentence_of_refusal_is_clean_too():
    shown = CliRunner().invoke(app, ["methods", EVIL])
    assert shown.exit_code == 2 and "\x1b" not in shown.output
