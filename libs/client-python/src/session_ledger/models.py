"""What crosses the wire, as types: each dict is written as on the wire."""

from .generated.models import *  # noqa: F403
