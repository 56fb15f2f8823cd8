"""Finds UPDATE and DELETE without WHERE, wherever SQL stands: safeupdate refuses them in API sessions.

Supabase preloads safeupdate for the role `authenticator`. It looks at each statement as it is analysed, so
also at those inside of functions, whoever owns them. MERGE, TRUNCATE and ON CONFLICT are not its business.
"""

from __future__ import annotations

import ast
import itertools
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pglast
from pglast.parser import ParseError, parse_plpgsql_json

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

nodes: Any = pglast.ast  # whose types say that every attribute may be None

# What a string must begin with to be read as a statement. Others are text.
STATEMENT = re.compile(r"\s*(?i:update|delete|with|insert|select|merge|create|do|prepare|begin|set)\b")
# An EXECUTE that begins so cannot write, whatever follows.
CANNOT_WRITE = re.compile(
    r"\s*(?i:alter|grant|revoke|refresh|drop|create (?:role|table|index|policy|trigger))\b"
)
PLACEHOLDER = re.compile(r"%(?:\d+\$)?-?\d*([ILs])")
UNKNOWN = "unknown_part"  # what stands in for a part of a statement that is known at run time only
MAX_READINGS = 64  # of one EXECUTE with several CASEs

COPIED_ROWS = re.compile(r"(?<=from stdin;)\n.*?^\\\.$", flags=re.MULTILINE | re.DOTALL)
META_COMMAND = re.compile(r"^\\.*$", flags=re.MULTILINE)

# A PL/pgSQL function is given to libpg_query with the types that it knows, because it has no catalog.
HEADER = "create function f({parameters}) {returns} language plpgsql as $unfiltered${body}$unfiltered$"
PARAMETER_MODES = {"FUNC_PARAM_OUT": "out ", "FUNC_PARAM_INOUT": "inout ", "FUNC_PARAM_VARIADIC": "variadic "}
DECLARATIONS = re.compile(r"\bdeclare\b.*?\bbegin\b", flags=re.IGNORECASE | re.DOTALL)
TYPE_IN_A_SCHEMA = re.compile(
    r"(?<=\s)(?!pg_catalog\.)(?i:[a-z_]+(?:\.[a-z_]+){1,2}(?:%\w+)?)(\[\])?(?=\s*(?i:;|:=|=|default))"
)


@dataclass(frozen=True, order=True)
class Finding:
    """One statement that would be refused, or that nobody can read beforehand."""

    place: str
    line: int
    problem: str

    def __str__(self) -> str:
        return f"{self.place}:{self.line}: {self.problem}"


def in_sql_file(file: Path, name: str) -> list[Finding]:
    """Look through a file of statements; psql's own commands and the rows of a COPY are skipped."""
    text = COPIED_ROWS.sub(lambda rows: "\n" * rows[0].count("\n"), file.read_text(encoding="utf-8"))
    return in_sql(META_COMMAND.sub("", text), name)


def in_sql(text: str, place: str) -> list[Finding]:
    """Look through statements, the functions they create, and the strings that are statements themselves."""
    return sorted(set(_in_sql(text, place, 1)))


def in_python_file(file: Path, name: str) -> list[Finding]:
    """Look through the string literals that are SQL; what is filled in later counts as a name or a value."""
    found: list[Finding] = []
    tree = ast.parse(file.read_text(encoding="utf-8"))
    formatted = [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)]
    parts = {id(part) for node in formatted for part in node.values}
    for node in ast.walk(tree):
        match node:
            case ast.JoinedStr(values=values):
                texts = [part.value if isinstance(part, ast.Constant) else UNKNOWN for part in values]
                text = "".join(map(str, texts))
            case ast.Constant(value=str(text)) if id(node) not in parts:
                pass
            case _:
                continue
        text = re.sub(r"%\(\w+\)s|%s", "$1", re.sub(r"\{\w*\}", UNKNOWN, text))
        found.extend(_in_string(text, name, node.lineno))
    return sorted(set(found))


def _in_sql(text: str, place: str, line: int) -> Iterator[Finding]:
    raw: Any
    for raw in pglast.parse_sql(text):
        start = raw.stmt_location
        statement = text[start : start + raw.stmt_len] if raw.stmt_len else text[start:]
        at = line + text.count("\n", 0, start)
        for node in _nodes(raw.stmt):
            yield from _in_node(node, _Source(statement, start, at, place))


@dataclass(frozen=True)
class _Source:
    """One statement's text, which begins at `line`; locations in its tree count from `offset` before it."""

    text: str
    offset: int
    line: int
    place: str

    def line_at(self, location: int) -> int:
        return self.line + self.text.count("\n", 0, location - self.offset)

    def line_of(self, part: str) -> int:
        """Give the line on which a part begins, for those that the tree gives no location."""
        return self.line + self.text.count("\n", 0, max(self.text.find(part), 0))


def _nodes(tree: Any) -> Iterator[Any]:
    """Give a parse tree's nodes, each before those within it."""
    if isinstance(tree, tuple):
        for part in tree:
            yield from _nodes(part)
    elif isinstance(tree, nodes.Node):
        yield tree
        for name in tree:
            yield from _nodes(getattr(tree, name))


def _in_node(node: Any, source: _Source) -> Iterator[Finding]:
    """Look at one node; the body of a function that the parser has read (BEGIN ATOMIC) is among the nodes."""
    match node:
        case nodes.UpdateStmt(whereClause=None) | nodes.DeleteStmt(whereClause=None):
            verb = "UPDATE" if isinstance(node, nodes.UpdateStmt) else "DELETE"
            at = source.line_at(node.relation.location)
            yield Finding(source.place, at, f"{verb} requires a WHERE clause")
        case nodes.A_Const(val=nodes.String(sval=text)):
            yield from _in_string(text, source.place, source.line_of(text))
        case nodes.DoStmt(args=options):
            body = next(option.arg.sval for option in options if option.defname == "as")
            plain = HEADER.format(parameters="", returns="returns void", body=_plain(body))
            yield from _in_plpgsql(plain, source.place, source.line_of(body))
        case nodes.CreateFunctionStmt():
            options = {option.defname: option.arg for option in node.options}
            body = options["as"][0].sval if "as" in options else ""
            language = options["language"].sval
            if language == "sql":
                yield from _in_sql(body, source.place, source.line_of(body))
            elif language == "plpgsql":
                yield from _in_plpgsql(_plain_function(node, body), source.place, source.line_of(body))


def _plain_function(node: Any, body: str) -> str:
    """Give a function with the same body and the same parameters, of other types."""
    parameters, columns = [], []
    for parameter in node.parameters or ():
        plain = f"{parameter.name or ''} {'text[]' if parameter.argType.arrayBounds else 'text'}"
        if parameter.mode.name == "FUNC_PARAM_TABLE":
            columns.append(plain)
        else:
            parameters.append(PARAMETER_MODES.get(parameter.mode.name, "") + plain)
    returned = node.returnType.names[-1].sval if node.returnType else None
    if columns:
        returns = f"returns table ({', '.join(columns)})"
    elif returned in {"trigger", "event_trigger", "void", "record"}:
        returns = f"returns {returned}"
    elif returned:
        returns = f"returns {'setof ' if node.returnType.setof else ''}text"
    else:
        returns = ""
    return HEADER.format(parameters=", ".join(parameters), returns=returns, body=_plain(body))


def _plain(body: str) -> str:
    """Declare every variable of a type in some schema as a record, which may have any field."""
    return DECLARATIONS.sub(
        lambda part: TYPE_IN_A_SCHEMA.sub(lambda kind: "text[]" if kind[1] else "record", part[0]), body
    )


def _in_plpgsql(function: str, place: str, line: int) -> Iterator[Finding]:
    """Look through a PL/pgSQL function whose body begins at `line`."""
    yield from _walk(json.loads(parse_plpgsql_json(function)), place, line, 1)


def _walk(tree: Any, place: str, line: int, current: int) -> Iterator[Finding]:
    """Go through libpg_query's JSON, which gives a line to each statement and none to its expressions."""
    if isinstance(tree, list):
        for part in tree:
            yield from _walk(part, place, line, current)
    elif isinstance(tree, dict):
        current = tree.get("lineno", current)
        at = line + current - 1
        for key, value in tree.items():
            if key in {"PLpgSQL_stmt_dynexecute", "PLpgSQL_stmt_dynfors"}:
                query = value["query"]["PLpgSQL_expr"]["query"]
                yield from _in_execute(query, place, line + value["lineno"] - 1)
            elif key == "dynquery":
                yield from _in_execute(value["PLpgSQL_expr"]["query"], place, at)
            if key == "PLpgSQL_expr":
                yield from _in_expression(value["query"], value["parseMode"], place, at)
            else:
                yield from _walk(value, place, line, current)


def _in_expression(query: str, mode: int, place: str, line: int) -> Iterator[Finding]:
    """Look through one query (mode 0), expression (2) or assignment (3 and more) of a PL/pgSQL function."""
    if mode >= 3:
        query = re.split(r":?=", query, maxsplit=1)[1]
    yield from _in_sql(query if mode == 0 else f"select {query}", place, line)


def _in_execute(expression: str, place: str, line: int) -> Iterator[Finding]:
    """Look through every statement that an EXECUTE may build; one that cannot be known is a finding."""
    raw: Any
    (raw,) = pglast.parse_sql(f"select {expression}")
    for statement in _readings(raw.stmt.targetList[0].val):
        if CANNOT_WRITE.match(statement):
            continue
        try:
            yield from _in_sql(statement, place, line)
        except ParseError:
            problem = f"EXECUTE of something that cannot be read beforehand: {statement[:60]}"
            yield Finding(place, line, problem)


def _readings(node: Any) -> list[str]:
    """List what a text expression may come to, with a name for each part that is known at run time only."""
    match node:
        case nodes.A_Const(val=nodes.String(sval=text)):
            return [text]
        case nodes.TypeCast(arg=argument):
            return _readings(argument)
        case nodes.A_Expr(name=[nodes.String(sval="||")], lexpr=left, rexpr=right):
            pairs = itertools.product(_readings(left), _readings(right))
            return [first + second for first, second in itertools.islice(pairs, MAX_READINGS)]
        case nodes.FuncCall(funcname=[*_, nodes.String(sval="format")], args=[template, *_]):
            return [PLACEHOLDER.sub(_filled, text) for text in _readings(template)]
        case nodes.CaseExpr(args=branches, defresult=default):
            results = [branch.result for branch in branches] + ([default] if default else [])
            return [text for result in results for text in _readings(result)]
    return [UNKNOWN]


def _filled(placeholder: re.Match[str]) -> str:
    return f"'{UNKNOWN}'" if placeholder[1] == "L" else UNKNOWN


def _in_string(text: str, place: str, line: int) -> Iterator[Finding]:
    """Look through a string if it is a statement: a schedule's command, what a test runs, a template."""
    if not STATEMENT.match(text):
        return
    try:
        yield from _in_sql(PLACEHOLDER.sub(UNKNOWN, text), place, line)
    except ParseError:
        return  # words that begin like a statement
