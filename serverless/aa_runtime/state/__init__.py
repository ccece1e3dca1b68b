"""Tracker states outside the process: an encoding without pickle, and the token around it."""

from aa_runtime.state.budget import Budget, Cost
from aa_runtime.state.classes import ClassTable
from aa_runtime.state.codec import Codec, Encoded
from aa_runtime.state.faults import BudgetError, DecodeError, EncodeError, StateError
from aa_runtime.state.memory import MemoryStore
from aa_runtime.state.setup import StateStore, create_store
from aa_runtime.state.store import OpenTrack, TokenStore, Track
from aa_runtime.state.token import Sealer

__all__ = [
    "Budget",
    "BudgetError",
    "ClassTable",
    "Codec",
    "Cost",
    "DecodeError",
    "EncodeError",
    "Encoded",
    "MemoryStore",
    "OpenTrack",
    "Sealer",
    "StateError",
    "StateStore",
    "TokenStore",
    "Track",
    "create_store",
]
