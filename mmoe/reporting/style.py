"""The charts' colours and fonts. The page maps each colour to its own in dark mode, by its hex code."""

from __future__ import annotations

from typing import Any

INK = "#1f2630"
MUTED = "#5b6673"
GRID = "#e4e8ed"
PAPER = "#fefefe"
SERIES = ("#2a66b0", "#c8641b", "#23806b", "#8a57b5", "#a8772a", "#b0406e")
FAINT = "#b9c3cf"

# What a colour of the light charts becomes on a dark page.
DARK = {
    INK: "#e7eaee",
    MUTED: "#9ea9b6",
    GRID: "#2c343e",
    PAPER: "#181d23",
    FAINT: "#566270",
    SERIES[0]: "#6fa8ee",
    SERIES[1]: "#f0975a",
    SERIES[2]: "#5cc3a9",
    SERIES[3]: "#bd92e4",
    SERIES[4]: "#d9ab5f",
    SERIES[5]: "#e681a9",
}

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"


def chart_config() -> dict[str, Any]:
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
            "title": None,
        },
        "range": {"category": list(SERIES)},
        "text": {"color": INK, "font": FONT, "fontSize": 12},
    }
