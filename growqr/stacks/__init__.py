"""A user's services: started under walls, found again after a restart, kept as they are wanted.

    base             what a runtime promises: ServiceSpec in, ServiceStatus out
    process          services as local processes under bubblewrap (sandbox, launcher, probe)
    opencode_spec    what an OpenCode server is started with
    fetch            the programs that services need, from their registry
    reconcile        desired state from the store, actual state from the runtime

Nothing here knows Ray: the Host of a node runs a Reconciler.
"""

from growqr.stacks.base import Health, Runtime, ServiceSpec, ServiceStatus
from growqr.stacks.fetch import Tools, fetch_tools, find_tools
from growqr.stacks.opencode_spec import Folders, folders, opencode_spec
from growqr.stacks.process import ProcessRuntime
from growqr.stacks.reconcile import Reconciler
from growqr.stacks.sandbox import why_not as why_no_sandbox
from growqr.stacks.skills import write_folder
from growqr.stacks.workspace import Entry, Workspace

__all__ = [
    "Entry",
    "Folders",
    "Health",
    "ProcessRuntime",
    "Reconciler",
    "Runtime",
    "ServiceSpec",
    "ServiceStatus",
    "Tools",
    "Workspace",
    "fetch_tools",
    "find_tools",
    "folders",
    "opencode_spec",
    "why_no_sandbox",
    "write_folder",
]
