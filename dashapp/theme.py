"""Every colour and the Plotly template of both themes: nothing else names a colour."""

from typing import Any

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif"

PALETTES: dict[str, dict[str, str]] = {
    "light": {
        "text": "#212529", "muted": "#6c757d", "grid": "#e9ecef", "line": "#ced4da", "surface": "#ffffff",
        "accent": "#0b5ed7", "up": "#157347", "down": "#c82333", "neutral": "#6c757d", "band": "rgba(11,94,215,.10)",
        "cloud": "rgba(108,117,125,.35)", "up_soft": "rgba(21,115,71,.45)", "down_soft": "rgba(200,35,51,.45)",
    },
    "dark": {
        "text": "#dee2e6", "muted": "#9aa2a9", "grid": "#2f353b", "line": "#495057", "surface": "#212529",
        "accent": "#6ea8fe", "up": "#2fbf83", "down": "#ff6b78", "neutral": "#adb5bd", "band": "rgba(110,168,254,.14)",
        "cloud": "rgba(173,181,189,.30)", "up_soft": "rgba(47,191,131,.45)", "down_soft": "rgba(255,107,120,.45)",
    },
}  # fmt: skip

# Distinguishable by the colour-blind (Okabe-Ito), in the order lines are added to a chart.
SERIES = {
    "light": ("#0b5ed7", "#d55e00", "#009e73", "#aa3c8b", "#b8860b", "#56b4e9"),
    "dark": ("#6ea8fe", "#ff9d4d", "#35c9a0", "#e28cc8", "#e6c34a", "#8fd0f5"),
}


def palette(theme: str | None) -> dict[str, str]:
    """Return the colours of a theme; light where the name is unknown."""
    return PALETTES["dark" if theme == "dark" else "light"]


def series(theme: str | None) -> tuple[str, ...]:
    """Return the line colours of a theme; light where the name is unknown."""
    return SERIES["dark" if theme == "dark" else "light"]


def base_layout(theme: str | None, *, height: int) -> dict[str, Any]:
    """Return the layout every figure starts from."""
    colours = palette(theme)
    return {
        "height": height,
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": FONT, "size": 12, "color": colours["text"]},
        "margin": {"l": 8, "r": 8, "t": 28, "b": 8},
        "hovermode": "x unified",
        "hoverlabel": {
            "bgcolor": colours["surface"], "bordercolor": colours["line"], "font": {"color": colours["text"]},
        },
        "legend": {"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom", "bgcolor": "rgba(0,0,0,0)"},
        "modebar": {"orientation": "v", "bgcolor": "rgba(0,0,0,0)", "color": colours["muted"], "activecolor": colours["accent"]},
        "dragmode": "pan",
    }  # fmt: skip


def axis(theme: str | None, **options: Any) -> dict[str, Any]:
    """Return one axis in the theme's colours."""
    colours = palette(theme)
    return {
        "gridcolor": colours["grid"], "linecolor": colours["line"], "zerolinecolor": colours["line"],
        "automargin": True, **options,
    }  # fmt: skip
