"""Groups of parameters of database instances."""

from __future__ import annotations

from demarc.readers import Reader
from demarc.readers.rds import parameters

DB_PARAMETER_GROUP = parameters.reader("DB", arn="pg")

READERS: tuple[Reader, ...] = (DB_PARAMETER_GROUP,)
