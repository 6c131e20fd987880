"""What people write outside of forms: remarks, reasons, names. It is judged as a form judges a text."""

from __future__ import annotations

from engine.errors import Unusable
from forms.kinds import FORBIDDEN
from forms.words import Text

LONGEST_REMARK = 20_000
LONGEST_NAME = 200


def plain(words: object, empty: Text, longest: int = LONGEST_REMARK) -> str:
    """The words without the blanks around them.

    Unusable: there are none (said in the words of ``empty``), too many, or signs that cannot be kept or printed.
    """
    said = words.strip() if isinstance(words, str) else ""
    if not said:
        raise Unusable(empty.zh, empty.en)
    if len(said) > longest:
        raise Unusable(
            f"文字不得超过 {longest} 字，现为 {len(said)} 字",
            f"the text may have {longest} characters, but it has {len(said)}",
        )
    if found := FORBIDDEN.search(said):
        code = f"U+{ord(found[0]):04X}"
        raise Unusable(
            f"文字含有不允许的控制字符 {code}", f"the text holds the control character {code}, which is not allowed"
        )
    return said
