"""The sections of params.yaml that belong to one matcher each: the union that `model.name` chooses from."""

from __future__ import annotations

from mmoe.config.moe import MoeParams
from mmoe.config.section import Section

# One line a matcher, as in mmoe/model/registry.py.
MATCHER_SECTIONS: dict[str, type[Section]] = {
    "mmoe": MoeParams,
}
