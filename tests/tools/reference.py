"""Writes the reference of the library into docs/library.md, from its docstrings: `python -m tests.tools.reference`."""

import enum
import inspect
import re
import sys
from collections.abc import Callable
from functools import cached_property
from typing import Any, get_type_hints

import slabtui
from tests import ROOT
from tests.support.markdown import replace_part, table

PAGE = ROOT / "docs" / "library.md"
FUNCTIONS = ("open", "open_recording")
TYPES = (  # each before those that are in it
    "SnapshotStream",
    "Snapshot",
    "CacheRow",
    "CacheKey",
    "KeyKind",
    "HostMemory",
    "CgroupMemory",
    "HostGrowth",
    "Origin",
    "Inspection",
    "InspectionRow",
    "InspectionKind",
    "Context",
    "Held",
    "Tracking",
    "About",
    "SideCount",
    "KernelSite",
    "SlabtuiError",
)

_SECTION = re.compile(r"^(Args|Attributes|Returns|Raises):$", re.MULTILINE)
_ENTRY = re.compile(r"^ {4}(\w+): (.*(?:\n {5,}.*)*)", re.MULTILINE)
_MODULE = re.compile(r"\b(?:[a-z_]+\.)+(?=[A-Z])")  # before the name of a type


def render(page: str) -> str:
    """Return the page with the reference of the library as it is now."""
    parts = [_describe_function(getattr(slabtui, name)) for name in FUNCTIONS]
    parts += [_describe_type(getattr(slabtui, name)) for name in TYPES]
    return replace_part(page, "reference", "\n\n".join(parts), "tests/tools/reference.py")


def read_section(described: object, name: str) -> dict[str, str]:
    """Return what a section of a docstring says of each name in it."""
    parts = _SECTION.split(inspect.getdoc(described) or "")
    sections = dict(zip(parts[1::2], parts[2::2], strict=True))
    return {entry: _join(text) for entry, text in _ENTRY.findall(sections.get(name, ""))}


def read_attributes(kind: type) -> dict[str, str]:
    """Return what the docstrings of a class and of its bases say of each attribute."""
    bases = (base for base in reversed(kind.__mro__) if base.__module__.startswith("slabtui."))
    return {name: text for base in bases for name, text in read_section(base, "Attributes").items()}


def _describe_function(function: Callable[..., Any]) -> str:
    signature, empty = inspect.signature(function), inspect.Parameter.empty
    bare = [one.replace(annotation=empty) for one in signature.parameters.values()]
    call = f"slabtui.{function.__name__}{signature.replace(parameters=bare, return_annotation=empty)}"
    meanings = read_section(function, "Args")
    rows = [
        (f"`{name}`", f"`{_name_type(one.annotation)}`", meanings[name]) for name, one in signature.parameters.items()
    ]
    return "\n\n".join(
        (
            f"### slabtui.{function.__name__}",
            f"`{call}`",
            *_describe(function),
            table(("argument", "type", "meaning"), rows),
        )
    )


def _describe_type(kind: type) -> str:
    parts = [f"### {kind.__name__}", *_describe(kind)]
    if issubclass(kind, enum.StrEnum):
        parts.append(f"A string: {', '.join(f'`{one}`' for one in kind)}.")
        return "\n\n".join(parts)
    hints = {**get_type_hints(kind.__init__), **get_type_hints(kind)}
    rows = [(f"`{name}`", f"`{_name_type(hints[name])}`", text) for name, text in read_attributes(kind).items()]
    rows += [_describe_member(name, member) for name, member in _members(kind).items()]
    if rows:
        parts.append(table(("attribute", "type", "meaning"), rows))
    return "\n\n".join(parts)


def _describe(described: object) -> list[str]:
    """Return the paragraphs of a docstring before its first section, and what is raised."""
    text = _SECTION.split(inspect.getdoc(described) or "")[0]
    raised = read_section(described, "Raises") if inspect.isfunction(described) else {}
    return [
        *(_join(paragraph) for paragraph in text.split("\n\n") if paragraph.strip()),
        *(f"It raises `{error}`: {why}" for error, why in raised.items()),
    ]


def _members(kind: type) -> dict[str, Any]:
    """Return the public properties and methods of a class and of its bases in slabtui, in their order."""
    return {
        name: member
        for base in reversed(kind.__mro__)
        if base.__module__.startswith("slabtui.")
        for name, member in vars(base).items()
        if not name.startswith("_")
        and (isinstance(member, property | cached_property | classmethod) or inspect.isfunction(member))
    }


def _describe_member(name: str, member: Any) -> tuple[str, str, str]:
    if isinstance(member, classmethod):
        member = member.__func__
    function = getattr(member, "fget", None) or getattr(member, "func", None) or member
    called = f"({', '.join(list(inspect.signature(function).parameters)[1:])})" if function is member else ""
    returned = get_type_hints(function)["return"]
    return f"`{name}{called}`", f"`{_name_type(returned)}`", _join(_describe(function)[0])


def _name_type(annotation: Any) -> str:
    return _MODULE.sub("", inspect.formatannotation(annotation)).replace("NoneType", "None")


def _join(text: str) -> str:
    return " ".join(text.split())


def main() -> int:
    """Write the page."""
    PAGE.write_text(render(PAGE.read_text()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
