"""The charts of a report, drawn as SVG that needs no script.

They come with the extra ``reports``: without it there are none.
"""

from collections.abc import Mapping, Sequence
from typing import Any

Spec = dict[str, Any]

WIDTH = 330
"""In pixels: as wide as a telephone, so that nothing is made smaller there."""

_CLASSES = {"exact": "#1b7f4b", "non-exact": "#c98a00", "none": "#8a8f98"}
_GRADES = {
    "full": ("in full", "#1b7f4b"),
    "wildcard": ("unrestricted", "#7fc79f"),
    "partial": ("in part", "#e3b341"),
    "missed": ("missed", "#c2453d"),
    "not_evaluated": ("not asked", "#d5d8dd"),
}
_FONT = "Arial"


def are_drawn() -> bool:
    """Whether what draws charts is installed."""
    try:
        import altair  # noqa: F401 - it comes with an extra
        import vl_convert  # noqa: F401
    except ImportError:
        return False
    return True


def sweep_chart(sweep: Mapping[str, Any]) -> str:
    """Lines by class over the threshold, and the thresholds of the draft, as SVG."""
    import altair as alt

    rows = [
        {"threshold": point["value"], "class": name, "lines": point[name.replace("-", "_")]}
        for point in sweep["points"]
        for name in _CLASSES
    ]
    lines = (
        alt.Chart(_data(rows))
        .mark_line(point=alt.OverlayMarkDef(size=18), strokeWidth=2)
        .encode(
            x=alt.X("threshold:Q", title="least percent of a non-exact match").scale(zero=False),
            y=alt.Y("lines:Q", title="lines"),
            color=_colours("class", _CLASSES),
        )
    )
    now = (
        alt.Chart(_data([{"threshold": value} for value in sweep["now"]]))
        .mark_rule(strokeDash=[4, 4], color="#30343b")
        .encode(x="threshold:Q")
    )
    return _svg(alt.layer(lines, now).properties(width=WIDTH - 70, height=200))


def criteria_chart(criteria: Sequence[Mapping[str, Any]]) -> str:
    """How often each criterion is met and how, as SVG: a bar each."""
    import altair as alt

    rows = [
        {
            "criterion": f"{each['template']}: {each['criterion']}",
            "grade": said,
            "lines": each[grade],
            "order": order,
        }
        for each in criteria
        for order, (grade, (said, _)) in enumerate(_GRADES.items())
    ]
    bars = (
        alt.Chart(_data(rows))
        .mark_bar()
        .encode(
            x=alt.X("lines:Q", title="share of the lines", stack="normalize").axis(format="%"),
            y=alt.Y("criterion:N", title=None, sort=None).axis(labelLimit=220, labelFontSize=11),
            color=_colours("grade", dict(_GRADES.values()), columns=2),
            order="order:Q",
        )
    )
    return _svg(bars.properties(width=WIDTH - 185, height=alt.Step(17)))


def _data(rows: list[Spec]) -> Any:
    import altair as alt

    return alt.Data(values=rows)  # type: ignore[no-untyped-call]


def _colours(field: str, colours: Mapping[str, str], *, columns: int = 3) -> Any:
    import altair as alt

    scale = alt.Scale(domain=list(colours), range=list(colours.values()))
    legend = alt.Legend(orient="top", title=None, columns=columns, labelLimit=110)
    return alt.Color(f"{field}:N", scale=scale, legend=legend)


def _svg(chart: Any) -> str:
    import vl_convert

    chart = chart.configure(font=_FONT).configure_view(stroke=None)
    svg: str = vl_convert.vegalite_to_svg(chart.to_dict())
    return svg
