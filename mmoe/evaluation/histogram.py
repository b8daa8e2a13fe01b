"""How many mentions have which rank, in buckets that widen as ranks get worse."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mmoe.evaluation.estimates import DECIMALS

# The last rank of each bucket.
BUCKETS = {"1": 1, "2": 2, "3": 3, "4–5": 5, "6–10": 10, "11–100": 100, ">100": np.inf}


def rank_histogram(ranks: NDArray[np.int64]) -> pd.DataFrame:
    """One row a bucket, best first, empty ones too: `ranks`, `mentions` and their `share` in percent."""
    buckets = pd.cut(pd.Series(ranks), [0, *BUCKETS.values()], labels=list(BUCKETS))
    counts = buckets.value_counts(sort=False)
    share = (100 * counts / max(1, len(ranks))).round(DECIMALS)
    columns = {"mentions": counts, "share": share}
    return pd.DataFrame(columns).rename_axis("ranks").reset_index().astype({"ranks": str})
