"""The proof-reader of the pages finds each kind of flaw, and nothing in a sound page."""

from __future__ import annotations

import pytest

from tests.web_reader import flaws

SOUND = (
    """<!doctype html><html lang="en"><head><title>Cases · Liuhen</title></head><body><h1>Cases</h1>{}</body></html>"""
)


def page(inside: str) -> str:
    return SOUND.replace("{}", inside)


def test_a_sound_page_has_no_flaw() -> None:
    inside = """<p id="help">Help</p><a href="#help">help</a>
      <form action="/cases" method="post" enctype="multipart/form-data"><input type="hidden" name="k" value="1">
      <label for="a">A</label><input id="a" name="a" aria-describedby="help">
      <label><input type="radio" name="b"> B</label>
      <label for="c">C</label><input id="c" type="file" name="c"><button>Go</button></form>
      <table><thead><tr><th scope="col">n</th></tr></thead><tbody><tr><td>1</td></tr></tbody></table>
      <svg xmlns="http://www.w3.org/2000/svg"><title>t</title><g class="x"><path d="M0 0h1"/></g></svg>"""
    assert flaws(page(inside)) == []


@pytest.mark.parametrize(
    ("inside", "flaw"),
    [
        ("<h1>Again</h1>", "there are 2 h1"),
        ("<p id=a></p><p id=a></p>", "the id 'a' is there twice"),
        ("<a href='#x'>x</a>", "a refers to 'x', which is not there"),
        ("<label for='x'>x</label>", "label refers to 'x', which is not there"),
        ("<a>nowhere</a>", "the link 'nowhere' leads nowhere"),
        ("<a href='/x'> </a>", "the link to '/x' says nothing"),
        ("<a href='javascript:alert(1)'>x</a>", "a leads to 'javascript:alert(1)'"),
        ("<script>1</script>", "there is an inline script"),
        ("<style>a{}</style>", "there is an inline style"),
        ("<p style='color:red'>x</p>", "p has the attribute style"),
        ("<p onclick='x()'>x</p>", "p has the attribute onclick"),
        ("<svg xmlns='http://www.w3.org/2000/svg'><g style='x'></g></svg>", "g has the attribute style"),
        ("<form action='/x' method='post'><input name='a'></form>", "the field 'a' has no label"),
        ("<form action='/x' method='post'><select name='a'></select></form>", "the field 'a' has no label"),
        ("<form action='/x' method='post'><button></button></form>", "a button says nothing"),
        ("<form method='post'></form>", "a form lacks action or method"),
        (
            "<form action='/x' method='post'><label>f<input type=file name=f></label></form>",
            "a form with a file is not sent",
        ),
        ("<table><tr><td>1</td></tr></table>", "a table has no headers"),
        ("<table><tr><th>n</th></tr></table>", "the header 'n' has no scope"),
        ("<p><div></div></p>", "line 1: unexpected-end-tag"),
    ],
)  # fmt: skip
def test_a_flaw_is_found(inside: str, flaw: str) -> None:
    assert [found for found in flaws(page(inside)) if found.startswith(flaw)]


def test_a_title_without_the_heading_and_a_page_without_a_language_are_flaws() -> None:
    assert flaws(SOUND.replace("<h1>Cases", "<h1>Inbox")) == ["the h1 'Inbox' is not in the title 'Cases · Liuhen'"]
    assert flaws(SOUND.replace(' lang="en"', "")) == ["the language is None"]
