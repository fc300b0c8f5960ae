"""The files of this checkout and what its modules import."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def tracked(*patterns: str) -> list[Path]:
    """Return the files of the repository, also those not committed yet."""
    command = ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *patterns)
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


@dataclass(frozen=True)
class Module:
    """What stands in a module: its docstring, what it imports wherever, and the names it uses, dotted ones whole."""

    docstring: str | None
    imports: tuple[str, ...]
    names: frozenset[str]


@cache
def module(path: Path) -> Module:
    """Return what stands in a module, which is parsed once."""
    tree = ast.parse(path.read_text())
    nodes = list(ast.walk(tree))
    names = {node.id for node in nodes if isinstance(node, ast.Name)}
    names |= {ast.unparse(node) for node in nodes if isinstance(node, ast.Attribute)}
    return Module(ast.get_docstring(tree), tuple(_imports(path, nodes)), frozenset(names))


def _imports(path: Path, nodes: list[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.relative_to(ROOT)} imports relatively: use the absolute name"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
