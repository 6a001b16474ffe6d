"""Memory: what may be written, and its projection from Postgres into one git repository per user.

    paths        which paths and contents are accepted
    secrets      keys and tokens are refused before they reach a history that keeps them for ever
    localgit     a bare repository; each row becomes one commit whose id follows from the row
    projection   brings rows into git, one writer per repository, holding `memory:<user>`

A write is accepted by its row; git follows. Importing this room loads no git library.
"""

from growqr.memory.localgit import LocalRepository
from growqr.memory.paths import MAX_CONTENT, check_content, check_path, repository
from growqr.memory.projection import Projection
from growqr.memory.secrets import refuse_secrets

__all__ = [
    "MAX_CONTENT",
    "LocalRepository",
    "Projection",
    "check_content",
    "check_path",
    "refuse_secrets",
    "repository",
]
