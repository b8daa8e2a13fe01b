"""The stages of dvc.yaml: each reads files, calls one package of mmoe, writes files."""

from __future__ import annotations

import mmoe as mmoe  # it says how torch's threads wait, and comes before torch
from mmoe.interrupts import say_stopped_in_one_line

say_stopped_in_one_line()
