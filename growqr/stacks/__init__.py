"""A user's services: started under walls, found again after a restart, kept as they are wanted.

    base             what a runtime promises: ServiceSpec in, ServiceStatus out
    process          services as local processes under bubblewrap (sandbox, launcher, probe)
    docker/          services as containers; gate/: what they reach; broker/: who holds the socket
    opencode_spec    what an OpenCode server is started with; gitea_spec: a Gitea
    fetch            the programs that services need, from their registry
    reconcile        whose services are looked at, and as whom (leased); looks: side by side
    converge         from what is wanted and what is there, the one thing to do now
    rules            failures and pauses, idleness, ends; disk, progress

Nothing here knows Ray: the Host of a node runs a Reconciler. What is about containers is loaded
only where they are: `open_runtime` asks the settings.
"""

from growqr.stacks.base import Health, Inside, Ran, Runtime, ServiceSpec, ServiceStatus
from growqr.stacks.disk import measure
from growqr.stacks.fetch import Tools, fetch_tools, find_tools
from growqr.stacks.gitea_spec import gitea_spec
from growqr.stacks.opencode_spec import Folders, folders, opencode_spec
from growqr.stacks.process import ProcessRuntime
from growqr.stacks.reconcile import Reconciler
from growqr.stacks.runtimes import end_containers, ensure_images, has_images, open_runtime
from growqr.stacks.sandbox import why_not as why_no_sandbox
from growqr.stacks.skills import write_folder
from growqr.stacks.workspace import Entry, Workspace

__all__ = [
    "Entry",
    "Folders",
    "Health",
    "Inside",
    "ProcessRuntime",
    "Ran",
    "Reconciler",
    "Runtime",
    "ServiceSpec",
    "ServiceStatus",
    "Tools",
    "Workspace",
    "end_containers",
    "ensure_images",
    "fetch_tools",
    "find_tools",
    "folders",
    "gitea_spec",
    "has_images",
    "measure",
    "open_runtime",
    "opencode_spec",
    "why_no_sandbox",
    "write_folder",
]
