"""A tuned encoder as a folder: what was learned, and which encoder it was learned on.

tuned.json              the method, its settings, the base's name and fingerprint
adapter.safetensors     learned prompts, or LoRA's matrices
model.safetensors, …    the whole encoder, if all of it was tuned
base                    the encoder that was tuned, if it is not found by its name (in a bundle)
"""

from __future__ import annotations

import warnings
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from torch import nn

from mmoe.config.tune import TuneParams
from mmoe.encoders.base import Encoder
from mmoe.encoders.kinds import ClipEncoder
from mmoe.encoders.prompted import PromptedEncoder, Prompts, prompts_for
from mmoe.errors import CheckpointError, DataError, FeatureStoreError, one_line
from mmoe.files import read_sealed_json, write_sealed_json
from mmoe.tensor_files import read_tensors, write_tensors

ABOUT, ADAPTER, BASE = "tuned.json", "adapter.safetensors", "base"
# Names of the attention's projections in CLIP, SigLIP and BERT.
LORA_TARGETS = ("q_proj", "v_proj", "query", "value")
AGAIN = "run stage tune again"


@dataclass(frozen=True)
class Tuned:
    """What `tuned.json` says.

    Attributes:
        settings: of the method, as section `tune` has them.
    """

    method: str
    base: str
    base_fingerprint: str
    settings: dict[str, Any]

    def check_base(self, base: Encoder, folder: Path) -> None:
        """Raises FeatureStoreError if an encoder is another one than was tuned."""
        if base.fingerprint != self.base_fingerprint:
            raise FeatureStoreError(
                f"{folder}: tuned on another encoder than {base.name} is now (fingerprint "
                f"{self.base_fingerprint}, found {base.fingerprint}); put that one back, or {AGAIN}"
            )


def about_tuned(folder: Path) -> Tuned | None:
    """What the folder of an encoder says of its tuning; None if it has not been tuned.

    Raises:
        FeatureStoreError: if that can't be read.
    """
    file = folder / ABOUT
    if not file.is_file():
        return None
    try:
        return Tuned(**read_sealed_json(file, AGAIN))
    except DataError as error:
        raise FeatureStoreError(str(error)) from None
    except TypeError as error:
        raise FeatureStoreError(f"{file}: {one_line(error)}; {AGAIN}") from None


def base_folder(folder: Path, *, read: bool) -> Path | None:
    """Where the encoder lies that a folder needs beside what was learned; None without such a folder.

    Args:
        read: whether features of the untuned encoder are read too.
    """
    about = about_tuned(folder)
    if about is None or (about.method == "full" and not read):
        return None
    inside, named = folder / BASE, Path(about.base)
    return inside if inside.is_dir() else named if named.is_dir() else None


class Tuning:
    """An encoder that is being tuned.

    Attributes:
        encoder: gives features with gradients.
        trained: what is learned of it, a module of parameters that require gradients.
    Args:
        base: loaded anew, as its weights may be changed.
    Raises:
        FeatureStoreError: if the method does not fit the encoder.
    """

    def __init__(self, base: Encoder, params: TuneParams) -> None:
        self._base, self._params = base, params
        base.model.requires_grad_(False)
        self.encoder, self.trained = base, nn.Module()
        if params.method == "prompts":
            self.trained = prompts_for(_seeing(base), params.prompt_length, params.prompt_depth)
            self.encoder = PromptedEncoder(_seeing(base), self.trained)
        elif params.method == "lora":
            base.model = _with_lora(base.model, params.lora_rank, params.lora_alpha)
            self.trained = _Trainable(base.model)
        elif params.method == "full":
            base.model.requires_grad_(True)
            self.trained = _Trainable(base.model)
        self.trained.to(base.device)

    def save(self, folder: Path) -> None:
        """Writes the folder of the tuned encoder; `load_encoder` reads it."""
        params, base = self._params, self._base
        settings = {
            name: value
            for name, value in params.model_dump(mode="json").items()
            if name.startswith(params.method.removesuffix("s"))
        }
        about = asdict(Tuned(params.method, base.name, base.fingerprint, settings))
        if params.method == "full":
            base.model.save_pretrained(folder, safe_serialization=True)
            base.tokenizer.save_pretrained(folder)
            if (processor := getattr(base, "processor", None)) is not None:
                processor.save_pretrained(folder)
        else:
            write_tensors(folder / ADAPTER, self.trained.state_dict(), about)
        write_sealed_json(folder / ABOUT, about)


def apply_tuned(folder: Path, about: Tuned, base: Encoder) -> Encoder:
    """The encoder that was tuned to prompts or LoRA's matrices.

    LoRA's matrices are added to the weights, so that they cost nothing.

    Args:
        base: the encoder that was tuned, loaded anew; it is changed.
    Raises:
        FeatureStoreError: if what was learned is missing, damaged or does not fit.
    """
    settings = about.settings
    try:
        said, state = read_tensors(folder / ADAPTER)
        if said != asdict(about):
            raise FeatureStoreError(f"{folder}: {ABOUT} does not belong to {ADAPTER}; {AGAIN}")
        if about.method == "prompts":
            length, depth = settings["prompt_length"], settings["prompt_depth"]
            prompts = prompts_for(_seeing(base), length, depth)
            prompts.load_state_dict(state)
            return PromptedEncoder(_seeing(base), _fixed(prompts))
        model = _with_lora(base.model, settings["lora_rank"], settings["lora_alpha"])
        _Trainable(model).load_state_dict(state)
        base.model = model.merge_and_unload().eval()
        return base
    except FileNotFoundError:
        raise FeatureStoreError(f"{folder / ADAPTER}: no such file; {AGAIN}") from None
    except (CheckpointError, KeyError, RuntimeError) as error:
        raise FeatureStoreError(f"{folder / ADAPTER}: {one_line(error)}; {AGAIN}") from None


class _Trainable(nn.Module):
    """The parameters of a model that require gradients, as a module of their own: what is kept."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        for name, parameter in model.named_parameters():
            if parameter.requires_grad:
                self.register_parameter(name.replace(".", "/"), parameter)


def _fixed(prompts: Prompts) -> Prompts:
    prompts.requires_grad_(False)
    return prompts.eval()


def _seeing(encoder: Encoder) -> ClipEncoder:
    if not isinstance(encoder, ClipEncoder):
        raise FeatureStoreError(
            f"tune.method = prompts: {encoder.name} sees no images; use a CLIP or a SigLIP, or "
            "tune.method: lora"
        )
    return encoder


def _with_lora(model: nn.Module, rank: int, alpha: int) -> Any:
    """The model with LoRA's matrices beside its attention's queries and values.

    Source: Hu et al., ICLR 2022.
    """
    try:
        # Imported here: an extra, and it takes seconds to start.
        from peft import LoraConfig, get_peft_model
    except ImportError:
        raise FeatureStoreError("tune.method = lora needs peft: pip install '.[tune]'") from None
    names = {name.rpartition(".")[2] for name, _ in model.named_modules()}
    targets = [name for name in LORA_TARGETS if name in names]
    settings = LoraConfig(r=rank, lora_alpha=alpha, target_modules=targets)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # peft asks transformers by an older name
        return get_peft_model(model, settings)
