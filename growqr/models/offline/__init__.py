"""What the offline model says: recipes that really call tools, the same for the same talk.

talk.py      a conversation as the recipes see it       words.py   sentences, paths, queries
recipes/     one file per family; a new family is a new file there
"""

from growqr.models.offline.compose import MODEL, compose
from growqr.models.offline.talk import Call, Outcome, Recipe, Say, Talk, Use

__all__ = ["MODEL", "Call", "Outcome", "Recipe", "Say", "Talk", "Use", "compose"]
