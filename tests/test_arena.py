"""Matches of players that decide for themselves: deals, estimates, decisions and processes."""

from __future__ import annotations

import os
from functools import partial

import numpy as np
import pytest

from holdem._core.equity import preflop_equities
from holdem.abstraction.translation import Translator
from holdem.config import load_game
from holdem.errors import ConfigError, ResourceError, RulesError
from holdem.evaluation.contestants import Contestant
from holdem.evaluation.match import Match
from holdem.evaluation.shared_table import SharedTable
from holdem.game.games import kuhn
from holdem.game.rules import CALL, State, raise_to
from holdem.game.tree import ActionKind, build_tree
from holdem.play.agent import Agent, Decision, Option
from holdem.play.arena import Arena, path_of
from holdem.play.crew import Crew
from holdem.search.resolver import Resolver
from holdem.search.subgame import NodeKind, build_public_tree
from holdem.types import BetMenu, GameConfig, SearchConfig
from tests.buckets import StripedBuckets
from tests.reference.games import random_policy, tree_of
