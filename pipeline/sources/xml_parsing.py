"""How XML from elsewhere is parsed: nothing is loaded, and nothing in it is expanded."""

from __future__ import annotations

from typing import Any

# huge_tree=False keeps libxml2's own bounds on depth, on the length of a text, and on what
# entities may grow to, should one get past `declares_entities`.
SAFELY: dict[str, Any] = {
    "resolve_entities": False,
    "load_dtd": False,
    "no_network": True,
    "dtd_validation": False,
    "huge_tree": False,
    "remove_comments": True,
    "remove_pis": True,
}


def declares_entities(element: Any) -> bool:
    """Whether the document of this element declares entities of its own, as only traps do."""
    declared = element.getroottree().docinfo.internalDTD
    return declared is not None and next(declared.iterentities(), None) is not None
