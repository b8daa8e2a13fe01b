"""Looks for known weaknesses: bandit over our own code, pip-audit over what is installed.

usage  python -m tools.audit
exit   1 if bandit finds something, or an installed version has a known weakness that pyproject.toml does not
       waive; 0 otherwise, also where nobody answers who knows the weaknesses, which is then said
"""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

SOURCES = ("mmoe", "pipeline", "tools")


def main() -> int:
    """Runs both; returns the exit code."""
    project = tomllib.loads(Path("pyproject.toml").read_text("utf-8"))
    waived: dict[str, str] = project["tool"]["audit"]["waived"]
    command = [sys.executable, "-m", "bandit", "-qq", "-c", "pyproject.toml", "-r", *SOURCES]
    looked = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if looked.returncode:
        print(looked.stdout + looked.stderr)
    print(f"bandit: {'see above' if looked.returncode else 'nothing'} in {', '.join(SOURCES)}")
    command = [sys.executable, "-m", "pip_audit", "--progress-spinner", "off", "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    known, said = verdict(done.stdout, waived)
    print(said)
    return int(looked.returncode != 0 or known)


def verdict(output: str, waived: Mapping[str, str]) -> tuple[bool, str]:
    """Whether pip-audit found a weakness that is not waived, and what to say.

    Args:
        output: its JSON; empty or broken where it could not ask.
        waived: reasons, by the id of a weakness.
    """
    try:
        packages: list[dict[str, Any]] = json.loads(output)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return False, "pip-audit: the advisory service is not reachable; nothing was audited"
    audited = [package for package in packages if "vulns" in package]
    if not audited:
        return (
            False,
            "pip-audit: the advisory service knows none of the packages; nothing was audited",
        )
    lines, known = [f"pip-audit: {len(audited)} of {len(packages)} packages audited"], False
    for package in audited:
        for each in package["vulns"]:
            reason = waived.get(each["id"])
            known |= reason is None
            remedy = (
                f"waived: {reason}" if reason else f"mended in {each.get('fix_versions') or 'none'}"
            )
            lines.append(f"{package['name']} {package['version']}: {each['id']}, {remedy}")
    return known, "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
