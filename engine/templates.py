"""Templates of documents (文书) as process owners write them, and their words with a case's values put in.

A template is a file ``documents/<id>.yaml`` beside the forms of its process:

    id: certificate
    title: {zh: 技术合同认定登记证明, en: Certificate of registration}
    basis: "002 §六"                                    # the article it rests on
    name: "登记证明（{registration_no}）"                # the name of the file, without its ending
    labels:                                             # what codes are called
      type: {tech_licence: 技术许可, tech_service: 技术服务}
    blocks:                                             # from top to bottom
      - heading: 技术合同认定登记证明
      - paragraph: "《{contract_title}》由 {sellers} 于 {signed_on|date} 签订。"
        when: "signed_on is not None"                   # any block: left out unless this is true
      - table:                                          # two columns or more
          - [成交额, "{amount_fen|yuan}（大写：{amount_fen|capital}）"]
          - [合同类别, "{determined_type|label:type}"]
      - rows:                                           # one line for each record of a list
          each: "=parties"
          as: party
          columns:
            - {heading: 名称, text: "{party['name']}"}
      - sign: {who: "{agency}", on: "{today|date}"}     # at the right, before the end
      - note: 本证明由申请人自行打印。                    # small print

Between braces stands an expression of the one expression language, with the names of the case, and after ``|`` how it is
written: ``yuan`` 1,234.50 元, ``capital`` 壹仟贰佰叁拾肆元伍角整, ``date`` 2026年3月2日, ``label:<name>`` what ``labels`` call
a code (a code they do not name stays as it is; the codes of a list are joined by 、). ``{{`` is a brace. An empty value
leaves nothing behind. How a page looks is for ``paper`` to say.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from engine.errors import Incident
from engine.paper import Block, Grid, Line, Paper
from engine.template_reading import TemplateReader
from engine.template_words import Columns, Part, Phrase, Piece, Slot, Table
from engine.work import BEIJING
from forms.expressions import ExpressionError
