"""Memory: what may be written, and its projection from Postgres into one git repository per user.

    paths        which paths and contents are accepted
    secrets      keys and tokens are refused before they reach a history that keeps them for ever
    bare         a bare repository: how its branch moves while others write, too
    localgit     a user's bare repository; each row becomes one commit whose id follows from the row
    projection   brings rows into git, one writer per repository, holding `memory:<user>`
    mirror       brings all repositories from here to a Gitea, where there is one
    servers      which Gitea that is, and as whom we come there
    heads        branches and tags, here and over there
    gitea        one Gitea server over HTTP; push: `git push` to it

A write is accepted by its row; git follows. Importing this room loads no git library.
"""

from growqr.memory.bare import BareRepository, edit_tree, head, signature
from growqr.memory.localgit import LocalRepository
from growqr.memory.mirror import Mirror, login
from growqr.memory.paths import MAX_CONTENT, check_content, check_path, repository
from growqr.memory.projection import Projection
from growqr.memory.secrets import refuse_secrets
from growqr.memory.servers import Login

__all__ = [
    "MAX_CONTENT",
    "BareRepository",
    "LocalRepository",
    "Login",
    "Mirror",
    "Projection",
    "check_content",
    "check_path",
    "edit_tree",
    "head",
    "login",
    "refuse_secrets",
    "repository",
    "signature",
]
