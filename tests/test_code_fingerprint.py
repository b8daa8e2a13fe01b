"""What a fingerprint of code sees, and what it doesn't."""

from __future__ import annotations

from pathlib import Path

import pytest

from mmoe.code_fingerprint import Codebase, parse_code

CODE = '''"""About."""
from mmoe.b import f


def g(x: int = 1) -> int:
    """Doubles."""
    return f(x) * 2  # by two
'''


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("About.", "About it.", True),
        ('    """Doubles."""\n', "", True),
        ("# by two", "# twice", True),
        ("\n\n\ndef", "\n\ndef", True),
        ("(x: int = 1)", "(\n    x: int = 1,\n)", True),
        ("= 1", "= 2", False),
        ("* 2", "* 2.0", False),
        ("* 2", "* None", False),
        ("import f", "import f as h", False),
    ],
)
def test_only_what_is_computed_counts(old: str, new: str, same: bool) -> None:
    edited = CODE.replace(old, new)
    assert edited != CODE
    assert (parse_code(edited).tree == parse_code(CODE).tree) is same


def write(root: Path, **modules: str) -> Codebase:
    for name, source in {"mmoe/__init__": "", **modules}.items():
        path = root / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
    return Codebase(root, ("mmoe",))


def test_imports_are_followed_through_with_the_packages_above(tmp_path: Path) -> None:
    code = write(
        tmp_path,
        **{
            "mmoe/a": "from mmoe.c import d\nimport torch",
            "mmoe/b": "",
            "mmoe/c/__init__": "",
            "mmoe/c/d": "def late():\n    import mmoe.b",
            "mmoe/e": "",
        },
    )
    assert code.reached_from("mmoe.a") == {"mmoe", "mmoe.a", "mmoe.b", "mmoe.c", "mmoe.c.d"}
    without = code.reached_from("mmoe.a", lambda name: name == "mmoe.c.d")
    assert without == {"mmoe", "mmoe.a"}


def test_what_a_registry_names_is_followed_too(tmp_path: Path) -> None:
    registry = "KNOWN = {'b': 'mmoe.b:Class', 'c': 'mmoe.nothing:Class', 'd': 'a.parquet'}"
    code = write(tmp_path, **{"mmoe/a": registry, "mmoe/b": ""})
    assert code.reached_from("mmoe.a") == {"mmoe", "mmoe.a", "mmoe.b"}


def test_results_are_kept_by_the_source(tmp_path: Path) -> None:
    code = write(tmp_path, **{"mmoe/a": "x = 1"})
    first = code.fingerprint(["mmoe.a"])
    kept = {key: ["other", [], []] for key in code.used()}
    again = Codebase(tmp_path, ("mmoe",), kept)
    assert again.trees(["mmoe.a"]) == {"mmoe.a": "other"}
    (tmp_path / "mmoe/a.py").write_text("x = 2")
    assert Codebase(tmp_path, ("mmoe",), kept).fingerprint(["mmoe.a"]) != first
