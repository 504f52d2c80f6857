"""What the commands at a table print: a decision, the end of a hand, the end of a session."""

from __future__ import annotations

from rich.console import Console

from holdem.cli.terminal import duration
from holdem.game.cards import cards_text
from holdem.game.games import position_names
from holdem.game.rules import Action, ActionKind, State
from holdem.play.acpc import MatchState
from holdem.play.agent import Decision, Option, Tally
from holdem.play.session import SessionResult

__all__ = [
    "TableDisplay",
    "action_words",
    "advice_text",
    "limits_text",
    "options_text",
    "print_advice",
    "print_result",
    "print_situation",
    "spaced_cards",
]

_SHOWN_SHARE = 0.0005
"""Options less likely than this are not shown."""


class TableDisplay:
    """Prints a session; a `holdem.play.session.SessionObserver`."""

    def __init__(self, console: Console, *, acts: bool, every_decision: bool = True) -> None:
        """Print on *console*: whether the session *acts* is told by what follows the arrow."""
        self._console = console
        self._acts = acts
        self._every_decision = every_decision

    def say(self, text: str) -> None:
        """See `SessionObserver.say`."""
        self._console.print(f"  {text}", style="yellow", soft_wrap=True)

    def decided(self, message: MatchState, decision: Decision, sent: bool) -> None:
        """See `SessionObserver.decided`."""
        if not self._every_decision:
            return
        print_situation(self._console, message, decision)
        print_advice(self._console, message.state, decision)
        verb = ("sent" if sent else "kept back") if self._acts else "advice"
        words = action_words(message.state, decision.action)
        self._console.print(f"  {verb}: {words}", style="bold", end="")
        self._console.print(f"   {1000 * decision.seconds:.1f} ms", style="dim")

    def hand_over(self, message: MatchState, chips: int, result: SessionResult) -> None:
        """See `SessionObserver.hand_over`."""
        if self._every_decision:
            self._console.print(
                f"hand {message.hand} is over: {chips:+,} chips, {result.chips:+,} in "
                f"{result.hands:,} hands",
                style="dim",
            )


def spaced_cards(cards: tuple[int, ...]) -> str:
    """Return the names of *cards*: ``"Ks 7d 2h"``; a dash for none."""
    text = cards_text(cards)
    return " ".join(text[start : start + 2] for start in range(0, len(text), 2)) or "-"


def action_words(state: State, action: Action) -> str:
    """Return *action* at *state* in the words of a table: ``"call 150"``, ``"bet 300"``."""
    legal = state.legal_actions()
    if action.kind is ActionKind.FOLD:
        return "fold"
    if action.kind is ActionKind.CALL:
        return f"call {legal.call:,}" if legal.call else "check"
    if action.amount == legal.max_raise_to:
        return f"all-in {action.amount:,}"
    return f"raise to {action.amount:,}" if state.to_match else f"bet {action.amount:,}"


def print_situation(console: Console, message: MatchState, decision: Decision) -> None:
    """Print where a hand stands."""
    state, seat = message.state, message.seat
    hole = state.hole_cards[seat]
    name = position_names(len(state.stacks))[seat]
    legal = state.legal_actions()
    asked = f", {legal.call:,} to call" if legal.call else ""
    chips = f"pot {sum(state.paid):,}{asked}, stack {state.stacks[seat]:,}"
    console.print(
        f"hand {message.hand}, {name}: {spaced_cards(hole or ())}  "
        f"board {spaced_cards(state.board)}  {chips}",
        style="bold cyan",
    )
    if decision.situation:
        console.print(f"  {decision.situation}", style="dim", soft_wrap=True)


def advice_text(state: State, decision: Decision) -> str:
    """Return the likely options of a decision in words, or why there are none."""
    if decision.bucket is None and not decision.searched:
        return f"no answer of the policy: {decision.fallback}"
    return options_text(state, decision.options)


def options_text(state: State, options: tuple[Option, ...]) -> str:
    """Return the likely ones of *options* in words, and what they are worth if that is known."""
    big_blind = state.game.big_blind
    return "   ".join(
        f"{action_words(state, option.action)} {option.probability:.1%}"
        + ("" if option.value is None else f" ({option.value / big_blind:+.2f} bb)")
        for option in options
        if option.probability >= _SHOWN_SHARE
    )


def print_advice(console: Console, state: State, decision: Decision) -> None:
    """Print the options of a decision."""
    unknown = decision.bucket is None and not decision.searched
    style = "yellow" if unknown else None
    if decision.searched:
        console.print(f"  search     {advice_text(state, decision)}", soft_wrap=True)
        if decision.blueprint:
            beside = options_text(state, decision.blueprint)
            console.print(f"  blueprint  {beside}", style="dim", soft_wrap=True)
        about = f"{decision.searched}; {decision.iterations:,} iterations"
        console.print(f"  {about}", style="dim", soft_wrap=True)
        return
    console.print(f"  {advice_text(state, decision)}", style=style, soft_wrap=True)
    if decision.fallback and not unknown:
        console.print(f"  not searched: {decision.fallback}", style="yellow", soft_wrap=True)


def tally_rows(tally: Tally) -> dict[str, str]:
    """Return what is printed of decisions, by name."""
    times = ", ".join(
        f"p{share} {1000 * tally.percentile(share / 100):.1f}" for share in (50, 90, 99)
    )
    return {
        "decisions": f"{len(tally.decisions):,}, {times} ms",
        "fallbacks": f"{tally.fallbacks:,} ({tally.fallback_rate:.2%} of the decisions)",
    }


def print_result(
    console: Console, result: SessionResult, big_blind: int, *, counted: bool = True
) -> None:
    """Print how a session went; what was won only where it was *counted*."""
    rows = {"ended": result.ended, "hands": f"{result.hands:,}"}
    if counted:
        rate = 1000 * result.chips / big_blind / max(result.hands, 1)
        rows["won"] = f"{result.chips:+,} chips, {rate:+,.0f} mbb/h"
    rows |= tally_rows(result)
    if result.unread:
        rows["not read"] = f"{result.unread:,} lines of the dealer"
    console.print()
    for name, text in rows.items():
        console.print(f"  {name:<11}{text}", soft_wrap=True)


def limits_text(max_hands: int | None, max_seconds: float | None, stop_loss: float | None) -> str:
    """Return when a session ends by itself, in words."""
    parts = []
    if max_hands is not None:
        parts.append(f"after {max_hands:,} hands")
    if max_seconds is not None:
        parts.append(f"after {duration(max_seconds)}")
    if stop_loss is not None:
        parts.append(f"once {stop_loss:g} big blinds are lost")
    return ", ".join(parts) or "when the dealer closes the table"
