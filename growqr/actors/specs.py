"""What the Host makes of a user and a generation: specs of services, with their secrets."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import aiohttp

from growqr.config import Settings
from growqr.identity import instance_secret, service_password, stack_token
from growqr.opencode import OpenCode, Server
from growqr.stacks import ServiceSpec, gitea_spec, opencode_spec
from growqr.store import Store

OPENCODE, GITEA = "opencode", "gitea"
ALWAYS = 0
"""The generation of a secret that outlives all of them: Gitea's data is read with it."""


def specs(settings: Settings) -> Mapping[str, Callable[[str, int], ServiceSpec]]:
    """Role → what makes the spec of one, for the roles that this instance has."""
    secret = instance_secret(settings)

    def opencode(user_id: str, generation: int) -> ServiceSpec:
        bound = (secret, user_id, OPENCODE, generation)
        token, password = stack_token(*bound), service_password(*bound)
        return opencode_spec(settings, user_id, generation, token=token, password=password)

    def gitea(user_id: str, generation: int) -> ServiceSpec:
        keys = [
            service_password(secret, user_id, f"{GITEA}-{key}", ALWAYS)
            for key in ("secret-key", "internal-token")
        ]
        return gitea_spec(settings, user_id, generation, secret_key=keys[0], internal_token=keys[1])

    own = settings.gitea == "per_user"
    return {OPENCODE: opencode, GITEA: gitea} if own else {OPENCODE: opencode}


class Reload:
    """Has a user's running OpenCode read its configuration again."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._settings = settings
        self._store = store
        self._secret = instance_secret(settings)

    async def __call__(self, user_id: str) -> bool:
        service = await self._store.services.get(user_id, OPENCODE)
        if service is None or service.state != "ready" or not service.address:
            return True
        password = service_password(self._secret, user_id, OPENCODE, service.generation)
        async with aiohttp.ClientSession(trust_env=False) as session:
            client = OpenCode(Server(service.address, password), session)
            return await client.dispose_idle(str(self._settings.workspace(user_id)))
