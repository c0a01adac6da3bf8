"""Reads the PowerShell module as source: its data, functions, parameters, help and calls.

PowerShell itself is not needed. The grammar is that of Windows PowerShell 5.1: what only later versions know is an
error node, and `&&` and `||`, which it does know, are looked for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tree_sitter_powershell
from tree_sitter import Language, Node, Parser

import cmgtrail

if TYPE_CHECKING:
    from collections.abc import Iterator

MODULE = Path(cmgtrail.__file__).parent / "powershell" / "CmgTrail"
COMMON = {"Verbose", "Debug", "ErrorAction", "WarningAction", "ErrorVariable", "OutVariable", "WhatIf", "Confirm"}
"""Parameters that every advanced function has."""


@dataclass
class Parameter:
    """A parameter: its attributes as written, its type in lower case, and its other names."""

    name: str
    type: str
    attributes: str
    aliases: list[str]

    @property
    def mandatory(self) -> bool:
        return bool(re.search(r"\bMandatory\b", self.attributes))

    @property
    def values(self) -> list[str]:
        """What ValidateSet allows."""
        allowed = re.search(r"ValidateSet\(([^)]*)\)", self.attributes)
        return re.findall(r"'([^']*)'", allowed[1]) if allowed else []


@dataclass
class Call:
    """A command in the source: its name, the parameters written out, and whether others are splatted."""

    name: str
    parameters: list[str]
    splatted: bool
    positional: int
    line: int


@dataclass
class Function:
    """A function with its parameters and the sections of its help."""

    name: str
    file: Path
    node: Node
    parameters: dict[str, Parameter]
    help: list[tuple[str, str, str]] = field(default_factory=list)
    """Section, its argument, its text."""

    def section(self, name: str) -> list[str]:
        return [text for section, _, text in self.help if section == name]


@cache
def _parser() -> Parser:
    return Parser(Language(tree_sitter_powershell.language()))


def tree(source: bytes) -> Node:
    return _parser().parse(source).root_node


def text(node: Node) -> str:
    assert node.text is not None
    return node.text.decode()


def nodes(node: Node, *kinds: str) -> Iterator[Node]:
    """The node and all below it, of these kinds (all, where none is named)."""
    if not kinds or node.type in kinds:
        yield node
    for child in node.children:
        yield from nodes(child, *kinds)


def mistakes(source: bytes) -> list[str]:
    """What Windows PowerShell 5.1 cannot read, with its line."""
    found = [
        f"line {node.start_point.row + 1}: {text(node)[:40]!r}"
        for node in nodes(tree(source))
        if node.is_error or node.is_missing or (not node.is_named and text(node) in {"&&", "||"})
    ]
    return found + [
        f"line {node.start_point.row + 1}: {kind}"
        for kind in ("class_statement", "enum_statement")
        for node in nodes(tree(source), kind)
    ]


def files(*endings: str) -> list[Path]:
    return sorted(path for path in MODULE.rglob("*") if path.suffix in endings)


def sources() -> list[Path]:
    """All files that are PowerShell."""
    return files(".ps1", ".psm1", ".psd1")


def data(name: str) -> Any:
    """What a data file (.psd1) holds."""
    (value,) = [child for child in tree((MODULE / name).read_bytes()).children if child.type == "statement_list"]
    return _value(value)


def _value(node: Node) -> Any:
    named = node.named_children
    match node.type:
        case "hash_literal_expression":
            pairs = [(_key(entry), _value(entry.named_children[-1])) for entry in _entries(node)]
            assert len(pairs) == len({key.lower() for key, _ in pairs}), f"a key stands twice in {text(node)}"
            return dict(pairs)
        case "array_expression":
            return [one for statement in named for part in _statements(statement) for one in _spread(part)]
        case "array_literal_expression" if len(named) > 1:
            return [_value(child) for child in named]
        case "verbatim_string_characters":
            return text(node)[1:-1].replace("''", "'")
        case "decimal_integer_literal":
            return int(text(node))
    assert len(named) == 1, f"no plain data: {text(node)}"
    return _value(named[0])


def _entries(node: Node) -> Iterator[Node]:
    return nodes_shallow(node, "hash_entry")


def nodes_shallow(node: Node, kind: str) -> Iterator[Node]:
    """The nodes of a kind that are in no other of that kind."""
    for child in node.children:
        if child.type == kind:
            yield child
        else:
            yield from nodes_shallow(child, kind)


def _key(entry: Node) -> str:
    return text(entry.named_children[0]).strip("'")


def _statements(node: Node) -> list[Node]:
    return node.named_children if node.type == "statement_list" else [node]


def _spread(node: Node) -> list[Any]:
    value = _value(node)
    return value if isinstance(value, list) else [value]


@cache
def functions() -> dict[str, Function]:
    """All functions of the module."""
    found: dict[str, Function] = {}
    for path in files(".ps1"):
        for node in nodes(tree(path.read_bytes()), "function_statement"):
            (name,) = [text(child) for child in node.children if child.type == "function_name"]
            assert name not in found, f"{name} is there twice"
            found[name] = Function(name, path, node, _parameters(node), _help(node))
    return found


def exported() -> list[Function]:
    return [function for function in functions().values() if function.file.parent.name == "Public"]


def _parameters(function: Node) -> dict[str, Parameter]:
    found: dict[str, Parameter] = {}
    for node in nodes(function, "script_parameter"):
        name = text(next(child for child in node.children if child.type == "variable"))[1:]
        attributes = "".join(text(child) for child in node.children if child.type == "attribute_list")
        types = re.findall(r"\[([A-Za-z.0-9]+(?:\[\])?)\]", attributes)
        alias = re.search(r"\[Alias\(([^)]*)\)", attributes)
        aliases = re.findall(r"'([^']*)'", alias[1]) if alias else []
        found[name] = Parameter(name, types[-1].lower() if types else "object", attributes, aliases)
    return found


def _help(function: Node) -> list[tuple[str, str, str]]:
    comment = next((text(node) for node in nodes(function, "comment") if text(node).startswith("<#")), "")
    parts = re.split(r"^\s*\.([A-Z]+)[ \t]*(.*)$", comment[2:-2], flags=re.MULTILINE)
    return [
        (section, argument.strip(), body.strip())
        for section, argument, body in zip(parts[1::3], parts[2::3], parts[3::3], strict=True)
    ]


def calls(node: Node) -> Iterator[Call]:
    """All commands in a part of the source, called by name."""
    for command in nodes(node, "command"):
        name = command.children[0]
        if name.type != "command_name":
            continue
        elements = [
            part
            for group in command.children[1:]
            if group.type == "command_elements"
            for part in group.children
            if part.type != "command_argument_sep"
        ]
        parameters = [text(part)[1:].rstrip(":") for part in elements if part.type == "command_parameter"]
        splatted = any(text(part).startswith("@") and "(" not in text(part)[:2] for part in elements)
        plain = [part for part in elements if part.type != "command_parameter" and not text(part).startswith("@")]
        yield Call(text(name), parameters, splatted, len(plain), command.start_point.row + 1)


HARD = [
    "", " ", "plain", "C:\\logs\\", "C:\\Program Files\\", 'say "hi"', 'C:\\a b\\"', "\\\\server\\share$\\x y\\", "a;b",
    "$env:x", "`tick`", "&|<>^%PATH%", "'single'", '"', '\\"', '\\\\"', "\\", "\\\\", "tab\there", "line\nbreak",
    "--client=Müller & Söhne", "--html=C:\\Users\\Jürgen Groß\\report.html", "日本 語\\", 'ends in "quote"\\',
]  # fmt: skip
"""Arguments that are easily lost on the way to a program of Windows."""


def quoted(argument: str) -> str:
    """ConvertTo-NativeArgument, by the expressions in its source."""
    body = text(functions()["ConvertTo-NativeArgument"].node)
    plain = re.search(r"\$Argument -notmatch '(.*?)' -and \$Argument -ne '' *\) \{ return \$Argument \}", body)
    steps = re.findall(r"-replace '(.*?)', '(.*?)'", body)
    assert plain
    assert len(steps) == 2
    assert body.rstrip("} \n").endswith("""'"' + $escaped + '"'""")
    if argument and not re.search(plain[1], argument):
        return argument
    for pattern, replacement in steps:
        python = replacement.replace("\\", "\\\\").replace("$1", r"\g<1>")
        argument = re.sub(pattern.replace(r"\z", r"\Z"), python, argument)
    return f'"{argument}"'
