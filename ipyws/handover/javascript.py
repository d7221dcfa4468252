"""Python expressions as JavaScript that means the same, by the functions of ``kits/k6.js``.

The two differ where nobody looks: an empty list is true in JavaScript, ``"4" > 3`` too, and what is not there
is no error. So values are compared, looked up and tested by functions. What has no equal is refused.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Collection
from typing import Any, Final

from ipyws.handover.names import UntranslatableError, read

_EXACT: Final = 1 << 53
_ORDERS: Final = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}
_SUMS: Final = {ast.Add: "plus", ast.Sub: "minus", ast.Mult: "times", ast.Div: "over", ast.Mod: "modulo"}
_METHODS: Final = {
    "startswith": ("startsWith", 1),
    "endswith": ("endsWith", 1),
    "lower": ("toLowerCase", 0),
    "upper": ("toUpperCase", 0),
    "strip": ("trim", 0),
}
_FUNCTIONS: Final = {"len": "size", "abs": "absolute", "str": "text", "bool": "truth"}
_TYPES: Final = {"str", "int", "float", "bool", "list", "dict"}
_OF_MESSAGE: Final = ("type", "data", "size", "direction")


def condition(expression: str, kept: Collection[str]) -> str:
    """Return the JavaScript of an expression that is true or false, of ``msg`` and ``json``.

    Args:
        expression: Python.
        kept: Names of values that steps before it keep.

    Raises:
        UntranslatableError: It has no equal; says what of it.
    """
    return _Writer(kept).test(read(expression, kept))


def value(expression: str, kept: Collection[str]) -> str:
    """Return the JavaScript of an expression whose value is put into a message; see `condition`."""
    return _Writer(kept).value(read(expression, kept))


def string(text: str) -> str:
    """Return a literal of JavaScript."""
    spelled = json.dumps(text, ensure_ascii=not text.isprintable())[1:-1]
    return "'" + spelled.replace('\\"', '"').replace("'", "\\'") + "'"


class _Writer:
    """Writes the nodes of one expression."""

    def __init__(self, kept: Collection[str]) -> None:
        self._kept = kept
        self._bound: list[str] = []

    def test(self, node: ast.expr) -> str:
        """Return what is true or false."""
        match node:
            case ast.BoolOp(op, values):
                between = " && " if isinstance(op, ast.And) else " || "
                return f"({between.join(map(self.test, values))})"
            case ast.UnaryOp(ast.Not(), operand):
                return f"!{self.test(operand)}"
            case ast.Compare(left, ops, comparators):
                pairs = zip([left, *comparators], ops, comparators, strict=False)
                compared = [self._compare(*pair) for pair in pairs]
                return compared[0] if len(compared) == 1 else f"({' && '.join(compared)})"
            case ast.Call(ast.Name("any" | "all" as name), [ast.GeneratorExp() as generator], []):
                return self._each(name, generator)
            case ast.Call(ast.Name("isinstance"), [item, kind], []):
                return f"isOf({self.value(item)}, {', '.join(map(string, self._kinds(kind)))})"
        return f"truth({self.value(node)})"

    def value(self, node: ast.expr) -> str:
        """Return a value."""
        match node:
            case ast.Constant(constant):
                return self._constant(constant)
            case ast.Name(name):
                return self._name(name)
            case ast.Attribute(item, name):
                return self._attribute(item, name, node)
            case ast.Subscript(ast.Name("env"), ast.Constant(str() as name)):
                return f"variable({string(name)})"
            case ast.Subscript(item, key) if not isinstance(key, ast.Slice):
                return f"item({self.value(item)}, {self.value(key)})"
            case ast.List(items) | ast.Tuple(items):
                return f"[{', '.join(map(self.value, items))}]"
            case ast.Call(function, arguments, []):
                return self._call(function, arguments, node)
        return self._operation(node)

    def _operation(self, node: ast.expr) -> str:
        match node:
            case ast.IfExp(test, body, orelse):
                return f"({self.test(test)} ? {self.value(body)} : {self.value(orelse)})"
            case ast.BinOp(left, op, right) if type(op) in _SUMS:
                return f"{_SUMS[type(op)]}({self.value(left)}, {self.value(right)})"
            case ast.UnaryOp(ast.USub(), operand):
                return f"minus(0, {self.value(operand)})"
            case ast.Compare() | ast.UnaryOp(ast.Not()):
                return self.test(node)
            case ast.Dict(keys, values) if all(isinstance(key, ast.Constant) for key in keys):
                pairs = zip(filter(None, keys), values, strict=True)
                written = (f"[{self.value(key)}]: {self.value(item)}" for key, item in pairs)
                return f"{{ {', '.join(written)} }}"
        raise _without_equal(node)

    def _attribute(self, item: ast.expr, name: str, node: ast.expr) -> str:
        match item:
            case ast.Name("msg") if name == "value":
                return "json"
            case ast.Name("msg") if name in _OF_MESSAGE:
                return f"msg.{name}"
            case ast.Name("env"):
                return f"variable({string(name)})"
        raise _without_equal(node)

    def _constant(self, constant: Any) -> str:
        if isinstance(constant, str):
            return string(constant)
        is_number = isinstance(constant, float) or (isinstance(constant, int) and abs(constant) < _EXACT)
        if constant is None or isinstance(constant, bool) or is_number:
            return json.dumps(constant)
        raise _without_equal(ast.Constant(constant))

    def _name(self, name: str) -> str:
        if name in self._bound:
            return f"${name}"
        if name == "json":
            return name
        if name in self._kept:
            return f"kept[{string(name)}]"
        raise UntranslatableError(f"{name} has no equal in JavaScript")

    def _compare(self, left: ast.expr, op: ast.cmpop, right: ast.expr) -> str:
        match op:
            case ast.Eq() | ast.NotEq():
                return f"{'!' * isinstance(op, ast.NotEq)}equal({self.value(left)}, {self.value(right)})"
            case ast.In() | ast.NotIn():
                items = ast.List(right.elts) if isinstance(right, ast.Set) else right
                return f"{'!' * isinstance(op, ast.NotIn)}holds({self.value(items)}, {self.value(left)})"
            case ast.Is() | ast.IsNot() if isinstance(right, ast.Constant) and right.value in (
                None,
                True,
                False,
            ):
                return (
                    f"{self.value(left)} {'!==' if isinstance(op, ast.IsNot) else '==='} {self.value(right)}"
                )
        if type(op) in _ORDERS:
            return f"order({self.value(left)}, {self.value(right)}) {_ORDERS[type(op)]} 0"
        raise _without_equal(ast.Compare(left, [op], [right]))

    def _call(self, function: ast.expr, arguments: list[ast.expr], node: ast.expr) -> str:
        given = [self.value(argument) for argument in arguments]
        match function:
            case ast.Attribute(ast.Name("msg"), "json") if not given:
                return "json"
            case ast.Name(name) if name in _FUNCTIONS and len(given) == 1:
                return f"{_FUNCTIONS[name]}({given[0]})"
            case ast.Name("isinstance" | "any" | "all"):
                return self.test(node)
            case ast.Attribute(item, "get") if len(given) in (1, 2):
                return f"get({', '.join([self.value(item), *given])})"
            case ast.Attribute(item, name) if name in _METHODS and _METHODS[name][1] == len(given):
                return f"string({self.value(item)}).{_METHODS[name][0]}({', '.join(given)})"
        raise _without_equal(node)

    def _each(self, name: str, generator: ast.GeneratorExp) -> str:
        if len(generator.generators) != 1 or not isinstance(generator.generators[0].target, ast.Name):
            raise _without_equal(generator)
        (part,) = generator.generators
        items = self.value(part.iter)
        assert isinstance(part.target, ast.Name)
        self._bound.append(part.target.id)
        tests = [self.test(test) for test in part.ifs]
        last = self.test(generator.elt)
        variable = f"${self._bound.pop()}"
        filtered = f".filter(({variable}) => {' && '.join(tests)})" if tests else ""
        return f"list({items}){filtered}.{'some' if name == 'any' else 'every'}(({variable}) => {last})"

    def _kinds(self, kind: ast.expr) -> list[str]:
        kinds = kind.elts if isinstance(kind, ast.Tuple) else [kind]
        names = [each.id for each in kinds if isinstance(each, ast.Name) and each.id in _TYPES]
        if len(names) != len(kinds):
            raise _without_equal(kind)
        return names


def _without_equal(node: ast.expr) -> UntranslatableError:
    return UntranslatableError(f"{ast.unparse(node)} has no equal in JavaScript")
