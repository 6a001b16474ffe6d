"""Project repositories: a user's bare git repositories on this machine, by name.

    naming       which names are accepted, and where a repository lies
    repository   files, folders and commits of one, read and written without a clone
    exchange     clone, fetch and push: git's own programs, streamed both ways

Rows of the store say which repositories there are; what is in them is git's alone. Importing this
room loads no git library.
"""

from growqr.repos.exchange import Exchange, Program, advertise
from growqr.repos.naming import check_name, folder_of, shelf_of
from growqr.repos.repository import Commit, Entry, File, Folder, Repository, Written

__all__ = [
    "Commit",
    "Entry",
    "Exchange",
    "File",
    "Folder",
    "Program",
    "Repository",
    "Written",
    "advertise",
    "check_name",
    "folder_of",
    "shelf_of",
]
