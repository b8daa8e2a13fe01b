"""The page's charts as static SVG: nothing is fetched and nothing runs when the page is opened.

It is imported when the first chart is drawn: altair and vl-convert would double a stage's start.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import pandas as pd
import vl_convert
from markupsafe import Markup

from mmoe.reporting.inputs import Epoch, History, Reranker
from mmoe.reporting.table import System
from mmoe.reporting.wording import label

# The page maps each colour to its own in dark mode, by its hex code.
INK = "#1f2630"
MUTED = "#5b6673"
GRID = "#e4e8ed"
PAPER = "#fefefe"
SERIES = ("#2a66b0", "#c8641b", "#23806b", "#8a57b5", "#a8772a", "#b0406e")
FAINT = "#b9c3cf"
DARK_SERIES = ("#6fa8ee", "#f0975a", "#5cc3a9", "#bd92e4", "#d9ab5f", "#e681a9")

# What a colour of the light charts becomes on a dark page.
DARK = {
    INK: "#e7eaee",
    MUTED: "#9ea9b6",
    GRID: "#2c343e",
    PAPER: "#181d23",
    FAINT: "#566270",
    **dict(zip(SERIES, DARK_SERIES, strict=True)),
}

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"

WIDTH, HEIGHT = 400, 190
MOST_TICKS = 10
LETTER = 6.8  # mean width of a letter of the labels, in pixels
GAP = 18
FEW_TICKS = alt.Axis(tickCount=5)
POINT: dict[str, Any] = {"size": 36, "filled": True, "opacity": 1}


def draw(
    history: History,
    systems: Sequence[System],
    histograms: dict[str, pd.DataFrame],
    calibrated: Reranker.Calibrated | None = None,
) -> dict[str, Markup]:
    """The charts that the data allow, by name; their texts are escaped by the renderer."""
    drawn = {"intervals": interval_chart(systems), "ranks": rank_chart(histograms)}
    if calibrated is not None:
        drawn["reliability"] = reliability_chart(calibrated)
    if epochs := history.epochs:
        drawn |= {"loss": loss_chart(epochs), "learning_rate": learning_rate_chart(epochs)}
        if any(epoch.held_out_mrr is not None for epoch in epochs):
            drawn["held_out"] = held_out_chart(history)
        if any(sum(shares) > 0 for shares in epochs[-1].expert_load.values()):
            drawn["experts"] = expert_chart(epochs[-1].expert_load)
    return {name: Markup(svg) for name, svg in drawn.items()}  # noqa: S704  # nosec B704


def interval_chart(systems: Sequence[System]) -> str:
    """MRR of every system with its 95 % interval, in the order given; ours in colour."""
    named = {"mrr": "mrr", "low": "mrr_low", "high": "mrr_high"}
    rows = [
        {"name": system.name, "ours": system.kind == "ours"}
        | {name: system.numbers[metric] for name, metric in named.items()}
        for system in systems
    ]
    colour = alt.condition("datum.ours", alt.value(SERIES[0]), alt.value(MUTED))
    # A cut name can't be told from another, and the page's font may be wider than the renderer's.
    room = LETTER * max(len(system.name) for system in systems)
    axis = alt.Axis(labelColor=INK, labelLimit=0, minExtent=room)
    names = alt.Y("name:N", sort=None, title=None, axis=axis)
    base = alt.Chart(alt.InlineData(values=rows)).encode(y=names)
    scale = alt.Scale(zero=False, nice=True, padding=8)
    values = alt.X("low:Q", title="MRR × 100", scale=scale, axis=alt.Axis(grid=True, tickCount=5))
    spans = base.mark_rule(strokeWidth=2.5).encode(x=values, x2="high:Q", color=colour)
    points = base.mark_point(size=70, filled=True, opacity=1).encode(x="mrr:Q", color=colour)
    return _svg(alt.layer(spans, points), height=28 * len(rows), width=int(WIDTH + 40 - room))


def loss_chart(epochs: Sequence[Epoch]) -> str:
    """Mean training loss of every epoch, one line a term."""
    rows = [
        {"epoch": epoch.epoch, "term": label(term), "loss": loss}
        for epoch in epochs
        for term, loss in epoch.loss.items()
    ]
    terms = list(dict.fromkeys(str(row["term"]) for row in rows))
    y = alt.Y("loss:Q", title="Loss", scale=alt.Scale(zero=False), axis=FEW_TICKS)
    colour = alt.Color("term:N", sort=terms, scale=alt.Scale(domain=terms))
    base = alt.Chart(alt.InlineData(values=rows)).mark_line(point=POINT, strokeWidth=2)
    return _svg(base.encode(x=_epochs(epochs), y=y, color=colour))


def held_out_chart(history: History) -> str:
    """MRR of the held-out mentions by epoch, where measured; epoch 0 is untrained, the best is ringed."""
    rows: list[dict[str, Any]] = [
        {"epoch": epoch.epoch, "mrr": epoch.held_out_mrr, "best": epoch.epoch == history.best_epoch}
        for epoch in history.epochs
        if epoch.held_out_mrr is not None
    ]
    if history.untrained_held_out_mrr is not None:
        start = {"mrr": history.untrained_held_out_mrr, "best": history.best_epoch == 0}
        rows.insert(0, {"epoch": 0} | start)
    first = 0 if history.untrained_held_out_mrr is not None else 1
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        x=_epochs(history.epochs, first),
        y=alt.Y("mrr:Q", title="MRR × 100", scale=alt.Scale(zero=False), axis=FEW_TICKS),
    )
    line = base.mark_line(strokeWidth=2, color=SERIES[0])
    points = base.mark_point(**POINT, color=SERIES[0])
    best = base.transform_filter("datum.best")
    ring = best.mark_point(size=150, strokeWidth=2, fill=PAPER, stroke=SERIES[0], opacity=1)
    value = best.mark_text(dy=-15, fontWeight=600).encode(text=alt.Text("mrr:Q", format=".2f"))
    return _svg(alt.layer(line, points, ring, value))


def reliability_chart(calibrated: Reranker.Calibrated) -> str:
    """Share of right entities by how probable they were said to be; on the dashed line both agree."""
    rows = [bin_.model_dump() for bin_ in calibrated.bins]
    scale = alt.Scale(domain=[0, 1])
    axis = alt.Axis(format="%", tickCount=5)
    x = alt.X("probability:Q", title="Probability of the best entity", scale=scale, axis=axis)
    y = alt.Y("right:Q", title="Right", scale=scale, axis=axis)
    ends = alt.InlineData(values=[{"probability": each, "right": each} for each in (0, 1)])
    ideal = alt.Chart(ends).mark_line(color=MUTED, strokeDash=[4, 4], strokeWidth=1.5)
    base: Any = alt.Chart(alt.InlineData(values=rows))
    size = alt.Size("mentions:Q", legend=None, scale=alt.Scale(range=[20, 400]))
    points = base.mark_point(filled=True, opacity=1, color=SERIES[0])
    line = base.mark_line(color=SERIES[0], strokeWidth=2)
    return _svg(
        alt.layer(ideal.encode(x=x, y=y), line.encode(x=x, y=y), points.encode(x=x, y=y, size=size))
    )


def learning_rate_chart(epochs: Sequence[Epoch]) -> str:
    """Learning rate at the end of every epoch."""
    rows = [{"epoch": epoch.epoch, "rate": epoch.learning_rate} for epoch in epochs]
    axis = alt.Axis(labelExpr="datum.value ? format(datum.value, '~e') : '0'", tickCount=4)
    y = alt.Y("rate:Q", title="Learning rate", axis=axis)
    line = {"point": POINT | {"color": SERIES[0]}, "strokeWidth": 2, "color": SERIES[0]}
    base: Any = alt.Chart(alt.InlineData(values=rows))
    return _svg(base.mark_line(**line).encode(x=_epochs(epochs), y=y))


def expert_chart(load: dict[str, list[float]]) -> str:
    """Share of the tokens that each expert of each unit works on; the rule marks even shares."""
    rows = [
        {"unit": label(unit), "expert": number, "share": share / total, "even": 1 / len(shares)}
        for unit, shares in load.items()
        if (total := sum(shares)) > 0
        for number, share in enumerate(shares, start=1)
    ]
    units = list(dict.fromkeys(str(row["unit"]) for row in rows))
    base = alt.Chart().properties(
        width=(WIDTH - GAP * (len(units) - 1)) / len(units), height=HEIGHT - 28
    )
    share_axis = alt.Axis(format="~%", tickCount=4)
    bars = base.mark_bar(color=SERIES[0], size=min(24, 240 // len(rows))).encode(
        x=alt.X("expert:O", title="Expert"), y=alt.Y("share:Q", title=None, axis=share_axis)
    )
    even = base.mark_rule(color=INK, strokeDash=[4, 3]).encode(y="even:Q")
    column = alt.Column("unit:N", sort=units, header=alt.Header(title=None))
    facets = alt.layer(bars, even, data=alt.InlineData(values=rows)).facet(
        column=column, spacing=GAP
    )
    return _svg(facets, width=None)  # its parts have their sizes


def rank_chart(histograms: dict[str, pd.DataFrame]) -> str:
    """Share of mentions in each bucket of ranks, one series a system; the first one is in colour."""
    parts = [buckets.assign(system=name) for name, buckets in histograms.items()]
    rows: list[dict[str, Any]] = pd.concat(parts).to_dict("records")  # type: ignore[assignment]
    names, ranks = list(histograms), list(dict.fromkeys(row["ranks"] for row in rows))
    colours = alt.Scale(domain=names, range=[SERIES[0], FAINT])
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        x=alt.X("ranks:N", sort=ranks, title="Rank of the gold entity"),
        xOffset=alt.XOffset("system:N", sort=names),
        y=alt.Y("share:Q", title="% of mentions", axis=FEW_TICKS),
    )
    legend = alt.Legend() if len(names) > 1 else None
    bars = base.mark_bar().encode(
        color=alt.Color("system:N", scale=colours, sort=names, legend=legend)
    )
    first = base.transform_filter(alt.datum.system == names[0])
    values = first.mark_text(dy=-7, fontSize=11).encode(text=alt.Text("share:Q", format=".1f"))
    return _svg(alt.layer(bars, values))


def _epochs(epochs: Sequence[Epoch], first: int = 1) -> alt.X:
    last = max(epoch.epoch for epoch in epochs)
    step = 1 + (last - first) // MOST_TICKS
    axis = alt.Axis(values=list(range(first, last + 1, step)), format="d", grid=False)
    return alt.X("epoch:Q", title="Epoch", axis=axis, scale=alt.Scale(nice=False, padding=14))


def _svg(chart: Any, width: int | None = WIDTH, height: int = HEIGHT) -> str:
    sized = chart if width is None else chart.properties(width=width, height=height)
    svg: str = vl_convert.vegalite_to_svg(sized.to_dict() | {"config": _config()})
    return svg


def _config() -> dict[str, Any]:
    """Vega-Lite's `config` for every chart: no frame, thin grid, text in the page's own font."""
    text = {"labelFont": FONT, "titleFont": FONT, "labelFontSize": 12, "titleFontSize": 12}
    return {
        "background": "transparent",
        "font": FONT,
        "view": {"stroke": None},
        "axis": {
            **text,
            "labelColor": MUTED,
            "titleColor": MUTED,
            "titleFontWeight": "normal",
            "gridColor": GRID,
            "domainColor": FAINT,
            "tickColor": FAINT,
            "labelPadding": 6,
            "titlePadding": 10,
            "tickSize": 4,
        },
        "axisY": {"domain": False, "ticks": False},
        "axisX": {"grid": False, "labelAngle": 0},
        "legend": {
            **text,
            "labelColor": INK,
            "title": None,
            "orient": "top",
            "direction": "horizontal",
            "symbolStrokeWidth": 3,
            "symbolSize": 90,
            "columnPadding": 16,
        },
        "header": {
            "labelFont": FONT,
            "labelFontSize": 13,
            "labelColor": INK,
            "labelFontWeight": 600,
        },
        "range": {"category": list(SERIES)},
        "text": {"color": INK, "font": FONT, "fontSize": 12},
    }
