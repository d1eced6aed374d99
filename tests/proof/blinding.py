"""Blind a check on purpose: take the claims out of its body, and leave the rest."""

from __future__ import annotations

import ast

CLAIMS = {
    "accepted": "_publishes",
    "refused": "_sends",
    "delivered": "_nothing",
    "undelivered": "_nothing",
    "same_events": "_nothing",
    "withheld": "_nothing",
    "indistinguishable": "_nothing",
    "vanishes": "_no_context",
}

STAND_INS = """
import contextlib


def _publishes(actor, draft, *, via="ws"):
    return actor.publish(draft, expect="any", via=via)


def _sends(actor, bad, *, twin, via="ws"):
    from nip_ap.nostr import Draft

    drafts = bad if isinstance(bad, (list, tuple)) else [bad]
    events = [actor.signs(one) if isinstance(one, Draft) else one for one in drafts]
    actor.publish(twin, via=via)
    actor.personas(via=via)
    return actor.send_all(events, via=via)


def _nothing(*positional, **named):
    return None


def _no_context(*positional, **named):
    return contextlib.nullcontext()
"""


class _Blinder(ast.NodeTransformer):
    def visit_Assert(self, node: ast.Assert) -> ast.AST:
        return ast.copy_location(ast.Expr(node.test), node) if _acts(node.test) else ast.Pass()

    def visit_Raise(self, node: ast.Raise) -> ast.AST:
        return ast.Pass()

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.copy_location(ast.Name(CLAIMS.get(node.id, node.id), node.ctx), node)


def _acts(test: ast.expr) -> bool:
    """Whether a condition talks to the relay: the talk stays, the judgement goes."""
    return any(isinstance(node, ast.Call) for node in ast.walk(test))


def blinded(source: str, function: str) -> str:
    """The source of a scenario file with one check blinded."""
    tree = ast.parse(source)
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == function:
            node.body = [_Blinder().visit(statement) for statement in node.body]
    at = next(
        index
        for index, node in enumerate(tree.body)
        if not isinstance(node, (ast.Expr, ast.Import, ast.ImportFrom))
    )
    tree.body[at:at] = ast.parse(STAND_INS).body
    return ast.unparse(ast.fix_missing_locations(tree)) + "\n"
