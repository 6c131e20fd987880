"""From the syntax tree of an expression to a closure: what the language allows, and nothing else.

What the operators do with values is for ``forms.operators``; here is only which of them there are.
"""

from __future__ import annotations

import ast
import operator
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, Final, NoReturn

from forms import operators as ops
from forms.functions import FUNCTIONS
from forms.operators import ExpressionError, Unset
from forms.run import Run, Scope
from forms.source import DEEPEST, refuse
from forms.words import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from forms.functions import Function
    from forms.values import Value

    Code = Callable[[Run], Value]
    Stream = Callable[[Run], Iterator[Value]]
    Guarded = Callable[..., Any]

MOST_NODES: Final = 800

NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_DECIMAL = re.compile(r"[0-9](?:_?[0-9]){0,17}\.[0-9]{1,12}")

_UNARY: Final[Mapping[type, Callable[..., Value]]] = {
    ast.Not: lambda value: not ops.truth(value),
    ast.USub: ops.negative,
}
_ARITHMETIC: Final[Mapping[type, Callable[..., Value]]] = {
    ast.Add: ops.add,
    ast.Sub: ops.subtract,
    ast.Mult: ops.multiply,
    ast.FloorDiv: ops.floor_divide,
    ast.Mod: ops.remainder,
}
_TESTS: Final[Mapping[type, Callable[..., bool]]] = {
    ast.Eq: ops.equal,
    ast.NotEq: lambda left, right: not ops.equal(left, right),
    ast.Lt: lambda left, right: ops.ordered(left, right) < 0,
    ast.LtE: lambda left, right: ops.ordered(left, right) <= 0,
    ast.Gt: lambda left, right: ops.ordered(left, right) > 0,
    ast.GtE: lambda left, right: ops.ordered(left, right) >= 0,
    ast.In: lambda left, right: ops.contains(right, left),
    ast.NotIn: lambda left, right: not ops.contains(right, left),
    ast.Is: lambda left, _: left is None,
    ast.IsNot: lambda left, _: left is not None,
}
# Between two values of one orderable kind Python's own operator is right, and much quicker.
_QUICK: Final[Mapping[type, Callable[[Any, Any], bool]]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


def _kept(value: Value) -> Value:
    return value


# Their work grows with the size of their operands, or of what they make.
_WEIGHED: Final = frozenset({_kept, ops.add, _TESTS[ast.Eq], _TESTS[ast.NotEq], _TESTS[ast.In], _TESTS[ast.NotIn]})


class Compiler:
    """Compiles one expression; collects the names and functions it uses on the way."""

    def __init__(self, source: str) -> None:
        self.names: set[str] = set()
        self.functions: set[str] = set()
        self.paths: set[tuple[str, str | None]] = set()
        self._source = source.encode()
        self._bound: list[str] = []
        self._nodes = 0
        self._depth = 0

    def code(self, node: ast.AST) -> Code:
        """The closure that evaluates this node."""
        self._nodes += 1
        self._depth += 1
        if self._nodes > MOST_NODES or self._depth > DEEPEST:
            self._refuse(node, "表达式过长或嵌套过深", "the expression is too long or nested too deeply")
        make = self._MAKERS.get(type(node))
        if make is None:
            said = type(node).__name__
            self._refuse(node, f"不允许 {said}", f"{said} is not part of the language")
        code = make(self, node)
        self._depth -= 1
        return code

    def _refuse(self, node: ast.AST, zh: str, en: str) -> NoReturn:
        refuse(len(self._source[: getattr(node, "col_offset", 0)].decode()) + 1, zh, en)

    def _said(self, node: ast.expr) -> str:
        return self._source[node.col_offset : node.end_col_offset].decode()

    def _guarded(self, node: ast.expr, operation: Callable[..., Value]) -> Guarded:
        """The operation, paid for where its work grows with its operands, and its refusals naming the place."""
        said = self._said(node)
        weighed = operation in _WEIGHED

        def apply(run: Run, *operands: Value) -> Value:
            try:
                if weighed:
                    run.pay(operands)
                return operation(*operands)
            except ExpressionError as error:
                raise error.at(said) from None

        return apply

    # -- literals and names --------------------------------------------------------------------------------------

    def _constant(self, node: ast.Constant) -> Code:
        value = self._literal(node)
        return lambda _: value

    def _literal(self, node: ast.Constant) -> Value:
        value = node.value
        if value is None or isinstance(value, bool | str):
            return value
        if isinstance(value, int):
            if value > ops.LARGEST_INTEGER:
                self._refuse(node, "整数过大，最大 10^18", "the integer is too large; the largest is 10^18")
            return value
        if not (isinstance(value, float) and _DECIMAL.fullmatch(self._said(node))):
            self._refuse(node, "不是整数、小数或文本", "this is no integer, no decimal such as 1.5 and no text")
        return Decimal(self._said(node))

    def _name(self, node: ast.Name) -> Code:
        return self._read(self._free(node, None))

    def _free(self, node: ast.Name, key: str | None) -> str:
        if not NAME.fullmatch(node.id):
            self._refuse(node, f"名称 {node.id} 不合规则", f"{node.id} is no name: a letter, then letters, digits or _")
        if node.id not in self._bound:
            self.names.add(node.id)
            self.paths.add((node.id, key))
        return node.id

    def _read(self, name: str) -> Code:
        def read(run: Run) -> Value:
            try:
                return run.names[name]
            except KeyError:
                raise Unset(name) from None

        return read

    def _list(self, node: ast.List | ast.Tuple) -> Code:
        members = [self.code(member) for member in node.elts]
        if all(isinstance(member, ast.Constant) for member in node.elts):
            constants = [self._literal(member) for member in node.elts if isinstance(member, ast.Constant)]
            return lambda _: list(constants)
        return self._weighed(node, lambda run: [member(run) for member in members])

    def _record(self, node: ast.Dict) -> Code:
        keys: list[str] = []
        for key in node.keys:
            if not (isinstance(key, ast.Constant) and isinstance(key.value, str) and _KEY.fullmatch(key.value)):
                self._refuse(key or node, "记录的键须为引号中的字母和数字", "a key is letters and digits in quotes")
            if key.value in keys:
                self._refuse(key, f"键 {key.value} 重复", f"the key {key.value} is given twice")
            keys.append(key.value)
        members = [self.code(member) for member in node.values]
        return self._weighed(node, lambda run: {key: member(run) for key, member in zip(keys, members, strict=True)})

    def _weighed(self, node: ast.expr, build: Code) -> Code:
        kept = self._guarded(node, _kept)
        return lambda run: kept(run, build(run))

    # -- operators -----------------------------------------------------------------------------------------------

    def _subscript(self, node: ast.Subscript) -> Code:
        key = node.slice.value if isinstance(node.slice, ast.Constant) else None
        if isinstance(node.value, ast.Name) and isinstance(key, str):
            outer = self._read(self._free(node.value, key))
        else:
            outer = self.code(node.value)
        return self._applied(node, ops.subscript, outer, self.code(node.slice))

    def _unary(self, node: ast.UnaryOp) -> Code:
        operation = _UNARY.get(type(node.op))
        if operation is None:
            self._refuse(node, "不允许该运算符", "this operator is not part of the language")
        apply, operand = self._guarded(node, operation), self.code(node.operand)
        return lambda run: apply(run, operand(run))

    def _arithmetic(self, node: ast.BinOp) -> Code:
        operation = _ARITHMETIC.get(type(node.op))
        if operation is None:
            self._refuse(
                node,
                "只有 + - * // % 可用；求占比用 ratio_bp，分摊金额用 share",
                "only + - * // % can be used; ratio_bp gives a ratio, share a part of an amount",
            )
        return self._applied(node, operation, self.code(node.left), self.code(node.right))

    def _applied(self, node: ast.expr, operation: Callable[..., Value], left: Code, right: Code) -> Code:
        apply = self._guarded(node, operation)
        return lambda run: apply(run, left(run), right(run))

    def _boolean(self, node: ast.BoolOp) -> Code:
        # As in Python they choose a value: `a or b` is a, unless a is empty, 0 or false.
        *firsts, last = [self.code(part) for part in node.values]
        stops_at = isinstance(node.op, ast.Or)

        def choose(run: Run) -> Value:
            for part in firsts:
                value = part(run)
                if bool(value) is stops_at:
                    return value
            return last(run)

        return choose

    def _choice(self, node: ast.IfExp) -> Code:
        test, holds = self.code(node.test), self._guarded(node.test, ops.truth)
        then, otherwise = self.code(node.body), self.code(node.orelse)
        return lambda run: then(run) if holds(run, test(run)) else otherwise(run)

    def _compare(self, node: ast.Compare) -> Code:
        first, *others = [self.code(operand) for operand in (node.left, *node.comparators)]
        tests = [self._test(node, sign, right) for sign, right in zip(node.ops, node.comparators, strict=True)]
        if len(tests) == 1:
            return _one_test(_QUICK.get(type(node.ops[0])), tests[0], first, others[0])
        links = list(zip(tests, others, strict=True))

        def chain(run: Run) -> bool:
            left = first(run)
            for test, operand in links:
                right = operand(run)
                if not test(run, left, right):
                    return False
                left = right
            return True

        return chain

    def _test(self, node: ast.Compare, sign: ast.cmpop, right: ast.expr) -> Guarded:
        if isinstance(sign, ast.Is | ast.IsNot) and not (isinstance(right, ast.Constant) and right.value is None):
            self._refuse(right, "is 之后只能是 None", "`is` may be followed only by None; use == otherwise")
        return self._guarded(node, _TESTS[type(sign)])

    # -- lists and functions -------------------------------------------------------------------------------------

    def _stream(self, node: ast.GeneratorExp | ast.ListComp) -> Stream:
        loop = node.generators[0]
        if len(node.generators) > 1 or loop.is_async or len(loop.ifs) > 1 or not isinstance(loop.target, ast.Name):
            self._refuse(node, "只允许一个 for、至多一个 if", "one `for x in xs` with at most one `if` is allowed")
        source, members_of = self.code(loop.iter), self._guarded(loop.iter, ops.members)
        name = loop.target.id
        self._bound.append(name)
        element = self.code(node.elt)
        test = self.code(loop.ifs[0]) if loop.ifs else None
        holds = self._guarded(loop.ifs[0] if loop.ifs else node, ops.truth)
        self._bound.pop()

        def stream(run: Run) -> Iterator[Value]:
            scope = Scope(run.names)
            inner = Run(scope, run.functions, run.purse)
            for member in members_of(run, source(run)):
                run.spend(1)
                scope[name] = member
                if test is None or holds(inner, test(inner)):
                    yield element(inner)

        return stream

    def _listed(self, node: ast.ListComp) -> Code:
        stream = self._stream(node)
        return self._weighed(node, lambda run: list(stream(run)))

    def _call(self, node: ast.Call) -> Code:
        name = node.func.id if isinstance(node.func, ast.Name) else self._said(node.func)
        function = FUNCTIONS.get(name)
        if function is None:
            self._refuse(node, f"没有函数 {name}", f"there is no function {name}")
        if node.keywords or any(isinstance(argument, ast.Starred) for argument in node.args):
            self._refuse(node, "参数按次序写，不带名称和星号", "arguments are written in order, without names or stars")
        self.functions.add(name)
        if function.many and len(node.args) > 1:
            members = [self.code(argument) for argument in node.args]
            return self._called(node, function, [lambda run: [member(run) for member in members]])
        if len(node.args) != len(function.parameters):
            wanted = ", ".join(parameter.name for parameter in function.parameters)
            self._refuse(node, f"应写作 {name}({wanted})", f"it is written {name}({wanted})")
        return self._called(node, function, [self._argument(function, argument) for argument in node.args])

    def _argument(self, function: Function, node: ast.expr) -> Callable[[Run], Any]:
        return self._stream(node) if isinstance(node, ast.GeneratorExp) and function.takes_members else self.code(node)

    def _called(self, node: ast.Call, function: Function, arguments: list[Callable[[Run], Any]]) -> Code:
        said = self._said(node)
        name, pure, parameters = function.name, function.run, function.parameters

        def call(run: Run) -> Value:
            values = [argument(run) for argument in arguments]
            act = pure or run.functions.get(name)
            if act is None:
                raise ExpressionError(Text("此处不能使用该函数", "this function is not available here")).at(said)
            try:
                taken = [run.argument(value, parameter) for value, parameter in zip(values, parameters, strict=True)]
                return ops.bounded(act(*taken))
            except ExpressionError as error:
                raise error.at(said) from None

        return call

    _MAKERS: ClassVar[Mapping[type, Callable[[Compiler, Any], Code]]] = {
        ast.Constant: _constant,
        ast.Name: _name,
        ast.List: _list,
        ast.Tuple: _list,
        ast.Dict: _record,
        ast.Subscript: _subscript,
        ast.UnaryOp: _unary,
        ast.BinOp: _arithmetic,
        ast.BoolOp: _boolean,
        ast.IfExp: _choice,
        ast.Compare: _compare,
        ast.ListComp: _listed,
        ast.Call: _call,
    }


def _one_test(quick: Callable[[Any, Any], bool] | None, test: Guarded, left: Code, right: Code) -> Code:
    if quick is None:
        return lambda run: test(run, left(run), right(run))
    simple = ops.ORDERED

    def compare(run: Run) -> Value:
        one, two = left(run), right(run)
        kind = type(one)
        if kind is type(two) and kind in simple:
            return quick(one, two)
        verdict: bool = test(run, one, two)
        return verdict

    return compare
