"""Kinds of question, as people read them."""

from __future__ import annotations

KINDS = {
    "acronym": "sigle",
    "comparison": "comparaison",
    "cross_document": "sur plusieurs documents",
    "cross_page": "sur plusieurs pages",
    "definition": "définition",
    "factual": "fait",
    "false_premise": "prémisse fausse",
    "footnote": "note de bas de page",
    "how": "comment faire",
    "injection": "détournement",
    "list": "liste",
    "multi_turn": "question de suite",
    "numeric": "nombre",
    "out_of_scope": "hors sujet",
    "paraphrase": "autres mots",
    "table": "tableau",
    "typo": "fautes et mots-clés",
    "unanswerable": "sans réponse dans le corpus",
}


def kind_label(kind: str) -> str:
    """A kind in French; its own name where it is somebody else's."""
    return KINDS.get(kind, kind)
