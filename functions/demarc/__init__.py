"""Demarc: the shared responsibility line, live.

An event names resources, a reader takes their snapshot, controls are evaluated on it, what does not hold is attributed
to its owner and becomes a finding, which is stored and announced:

    event -> change -> snapshot -> evaluation -> attribution -> finding -> store -> announcement

`core` and `checks` decide and never do I/O; `readers`, `stores` and `announcers` are the edges;
`pipeline` is the one place where the steps meet; `handlers` and `cli` are the doors.
"""

__version__ = "0.1.0"
