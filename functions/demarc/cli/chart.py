"""What `demarc matrix coverage` counts, as a picture for a slide."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from demarc.cli.failures import Unusable
from demarc.core.framework import Coverage, Proof, Tally
from demarc.core.model import Party

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# What a picture may be written as, by the end of its name.
SUFFIXES = (".png", ".svg")

# Colours that people with any colour vision tell apart (Okabe and Ito), the best proof the calmest, none at all red.
_PROOFS: Mapping[Proof, tuple[str, str]] = {
    Proof.CONTROLS: ("Automatically, by controls", "#009E73"),
    Proof.ATTESTATION: ("Attested", "#56B4E9"),
    Proof.PROCESS_RECORD: ("By a record of ours", "#0072B2"),
    Proof.PROVIDER_REPORT: ("By AWS's report", "#999999"),
    Proof.HEALTH: ("By AWS Health", "#CCCCCC"),
    Proof.STALE_ATTESTATION: ("Attestation due", "#E69F00"),
    Proof.UNVERIFIED: ("Not at all", "#D55E00"),
}
_PARTIES: Mapping[Party, tuple[str, str]] = {
    Party.PROVIDER: ("AWS's", "#999999"),
    Party.SHARED: ("Shared with AWS", "#CC79A7"),
    Party.CUSTOMER: ("Ours", "#0072B2"),
}
_INK, _PALE = "#222222", "#666666"

# In inches, for a slide of 13.33: what stands above and below the bars, and how much each of them takes.
_WIDTH, _DPI = 13.33, 150
_HEAD, _WHOSE, _GAP, _BAR, _LEGEND, _FOOT = 1.05, 0.45, 0.3, 0.3, 0.5, 0.55
_LEFT, _RIGHT = 0.25, 0.97


def draw(counted_ones: Sequence[Coverage], path: Path, *, today: date) -> None:
    """Write a picture of some frameworks, or of one by its families.

    Raises:
        Unusable: if the name ends in nothing that can be drawn, the library is not installed, or it cannot be written.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise Unusable(f"{path} is neither a PNG nor an SVG. Name it with {' or '.join(SUFFIXES)}")
    figure = _picture(counted_ones, today)
    try:
        figure.savefig(path, dpi=_DPI, metadata=_undated(path))
    except OSError as error:
        raise Unusable(f"{path} cannot be written: {error.strerror}. Name another") from error


def _undated(path: Path) -> dict[str, Any]:
    """The same counts are the same file: without the moment at which it was drawn."""
    return {"Date": None} if path.suffix.lower() == ".svg" else {"Software": None}


def _picture(counted_ones: Sequence[Coverage], today: date) -> Figure:
    try:
        import matplotlib as mpl
        from matplotlib.figure import Figure
    except ImportError as error:
        raise Unusable("charts need matplotlib. Install demarc[chart], or leave --chart out") from error
    mpl.rcParams.update({"font.family": "DejaVu Sans", "svg.hashsalt": "demarc", "svg.fonttype": "none"})
    rows = _rows(counted_ones)
    overall = _sum([each.overall for each in counted_ones])
    height = _HEAD + _WHOSE + _GAP + _BAR * len(rows) + _LEGEND + _FOOT
    figure = Figure(figsize=(_WIDTH, height), facecolor="white")

    def axes(above: float, tall: float) -> Axes:
        """A strip of the picture, by the inches above it and its own."""
        return figure.add_axes((_LEFT, 1 - (above + tall) / height, _RIGHT - _LEFT, tall / height))

    figure.text(0.03, 1 - 0.4 / height, _claim(overall), fontsize=17, weight="bold", color=_INK, va="center")
    figure.text(0.03, 1 - 0.75 / height, _subject(counted_ones), fontsize=11.5, color=_PALE, va="center")
    _draw_parties(axes(_HEAD, _WHOSE), overall)
    proofs = axes(_HEAD + _WHOSE + _GAP, _BAR * len(rows))
    _draw_proofs(proofs, rows)
    handles, labels = proofs.get_legend_handles_labels()
    where = ((_LEFT + _RIGHT) / 2, (_FOOT + _LEGEND) / height)
    figure.legend(handles, labels, loc="upper center", bbox_to_anchor=where, ncols=7, frameon=False, fontsize=9.5)
    figure.text(0.03, 0.15 / height, _footer(counted_ones, today), fontsize=8, color=_PALE, va="bottom")
    return figure


def _rows(counted_ones: Sequence[Coverage]) -> list[tuple[str, Tally]]:
    if len(counted_ones) != 1:
        return [(_shortened(f"{each.framework.name} {each.framework.version}"), each.overall) for each in counted_ones]
    (covered,) = counted_ones
    titles = covered.framework.families
    return [(_shortened(f"{family} {titles[family]}"), tally) for family, tally in covered.families.items()]


def _shortened(title: str) -> str:
    return textwrap.shorten(title, 40, placeholder=" …")


def _sum(tallies: Sequence[Tally]) -> Tally:
    return Tally(
        requirements=sum(each.requirements for each in tallies),
        parties={party: sum(each.parties[party] for each in tallies) for party in Party},
        assigned=sum(each.assigned for each in tallies),
        unassigned=sum(each.unassigned for each in tallies),
        signed=sum(each.signed for each in tallies),
        proofs={proof: sum(each.proofs[proof] for each in tallies) for proof in Proof},
    )


def _claim(tally: Tally) -> str:
    """The sentence that the slide is about."""
    ours = tally.parties[Party.SHARED] + tally.parties[Party.CUSTOMER]
    return (
        f"{ours:,} of {tally.requirements:,} requirements have a part that is ours; "
        f"{tally.unassigned:,} of these have no owner"
    )


def _subject(counted_ones: Sequence[Coverage]) -> str:
    tier = counted_ones[0].tier
    if len(counted_ones) != 1:
        return f"{len(counted_ones)} frameworks, as {tier}"
    (covered,) = counted_ones
    framework = covered.framework
    within = f", {framework.baselines[covered.baseline]}" if covered.baseline else ""
    return f"{framework.name} {framework.version}{within}, as {tier}"


def _draw_parties(axes: Axes, tally: Tally) -> None:
    _bare(axes)
    axes.set_yticks([0], ["Whose"], fontsize=10.5, color=_INK)
    left = 0
    for party, (said, colour) in _PARTIES.items():
        count = tally.parties[party]
        axes.barh(0, count, left=left, color=colour, height=0.62)
        if count >= tally.requirements * 0.04:
            wide = count >= tally.requirements * 0.1
            text, size = (f"{said}: {count:,}", 10.5) if wide else (f"{said}\n{count:,}", 8.5)
            axes.text(left + count / 2, 0, text, ha="center", va="center", color="white", fontsize=size, weight="bold")
        left += count
    axes.set_xlim(0, max(tally.requirements, 1))


def _draw_proofs(axes: Axes, rows: Sequence[tuple[str, Tally]]) -> None:
    """One bar a row, in shares: families of ten and of a hundred are read alike; the number stands at its end."""
    _bare(axes)
    axes.set_yticks(range(len(rows)), [name for name, _ in rows], fontsize=10, color=_INK)
    axes.invert_yaxis()
    left = [0.0] * len(rows)
    for proof, (said, colour) in _PROOFS.items():
        if not any(tally.proofs[proof] for _, tally in rows):
            continue
        shares = [100 * tally.proofs[proof] / max(tally.requirements, 1) for _, tally in rows]
        axes.barh(range(len(rows)), shares, left=left, color=colour, height=0.7, label=said)
        for place, ((_, tally), share) in enumerate(zip(rows, shares, strict=True)):
            if share >= 4:
                axes.text(
                    left[place] + share / 2,
                    place,
                    f"{tally.proofs[proof]:,}",
                    ha="center",
                    va="center",
                    color="white",
                    fontsize=8.5,
                )
        left = [before + share for before, share in zip(left, shares, strict=True)]
    for place, (_, tally) in enumerate(rows):
        axes.text(101, place, f"{tally.requirements:,}", va="center", fontsize=9, color=_PALE)
    axes.set_xlim(0, 104)


def _bare(axes: Axes) -> None:
    """Nothing but bars and their names."""
    for side in axes.spines.values():
        side.set_visible(False)
    axes.tick_params(length=0)
    axes.set_xticks([])


def _footer(counted_ones: Sequence[Coverage], today: date) -> str:
    said = (
        f"Demarc, {today.isoformat()}. Bars: what shows that a requirement is met; of a shared one, what shows that "
        "our part is. Automatically: at least one control names it, which seldom is all that it asks."
    )
    notices = [each.framework.notice for each in counted_ones if each.framework.notice]
    return "\n".join(textwrap.fill(text, 190) for text in (said, *dict.fromkeys(notices)))
